"""One error for everything that is refused."""

from __future__ import annotations

import json

import pytest

from api_client.errors import refusal
from cloud.public_api.problems import PROBLEMS


@pytest.mark.parametrize("slug", list(PROBLEMS))
def test_each_problem_keeps_its_document(slug: str) -> None:
    """Its slug to decide by, its words, its remedy, its further members."""
    kind = PROBLEMS[slug]
    document = kind("so it was", problem="bad-picture").document()
    error = refusal(kind.status, json.dumps(document).encode(), retry_after_s=3)
    assert (error.slug, error.status, error.document) == (slug, kind.status, document)
    assert str(error) == f"{kind.title}: so it was"
    assert error.remedy == kind.remedy
    assert error.retry_after_s == 3


def test_an_error_of_oauth_is_one_too() -> None:
    """RFC 6749, 5.2."""
    error = refusal(401, b'{"error": "invalid_client", "error_description": "not accepted"}')
    assert (error.slug, str(error), error.document) == ("invalid_client", "not accepted", {})
    assert error.remedy


@pytest.mark.parametrize(
    "body", [b"<html>502</html>", b"", b"[]", b'{"type": 3}', b"\xff", b'{"type": "about:blank"}']
)
def test_what_a_gateway_says_is_told_apart(body: bytes) -> None:
    """It may be away, or not a chain's server at all."""
    assert refusal(502, body).slug == "away"
    assert refusal(404, body).slug == "not-ours"


def test_a_failure_on_their_side_says_what_to_tell_them() -> None:
    """The request's id stands in their log; nothing of theirs moves the cursor."""
    document = PROBLEMS["internal"]("a\x1b[2Jb").document()
    error = refusal(500, json.dumps(document).encode(), request_id="r-1")
    assert "r-1" in error.remedy
    assert str(error).isprintable()
