"""Errors of the agent as problems."""

import json
import re
from pathlib import Path

import pytest

from edge_agent.adapters.http import problems
from edge_agent.adapters.http.access import Refusal
from edge_agent.adapters.http.problems import from_error, from_faults, problem_body
from edge_agent.errors import (
    BadRequestError,
    ConflictError,
    JournalError,
    ModelRefusedError,
    RequestError,
    TooManySubscribersError,
    UnknownFlavourError,
    UnknownInteractionError,
)
from wire_protocol.errors import TopscoopError


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (UnknownInteractionError("x"), 404, "unknown-interaction"),
        (ConflictError("x"), 409, "conflict"),
        (UnknownFlavourError("x"), 422, "unknown-flavour"),
        (BadRequestError("x"), 422, "impossible-request"),
        (ModelRefusedError("x"), 422, "model-refused"),
        (JournalError("x"), 503, "journal-unavailable"),
        (TooManySubscribersError("x"), 503, "too-many-listeners"),
        (RequestError("x"), 400, "refused-request"),
        (TopscoopError("x"), 500, "internal-error"),
    ],
)
def test_each_error_has_its_status_and_name(error: TopscoopError, status: int, slug: str) -> None:
    """Names are part of the interface."""
    problem = from_error(error)
    assert (problem.status, problem.slug) == (status, slug)


def test_every_name_of_a_problem_is_documented() -> None:
    """docs/edge-api.md lists all that the code can answer."""
    folder = Path(problems.__file__).parent
    code = "\n".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    names = set(re.findall(r'(?:Problem\(|return Problem\()\s*[\w.]+,\s*"([a-z-]+)"', code))
    names |= {name for name, _ in problems._SLUGS.values()} | set(problems._SERVER_SLUGS.values())
    names |= {str(refusal) for refusal in Refusal}
    document = (Path(__file__).parents[5] / "docs" / "edge-api.md").read_text("utf-8")
    assert {"unknown-flavour", "host-not-allowed", "json-expected", "body-too-large", "invalid-body"} <= names
    assert [name for name in sorted(names) if f"`{name}`" not in document] == []


def test_a_remedy_is_left_out_where_there_is_none() -> None:
    """Never an empty text."""
    assert "remedy" not in json.loads(problem_body(404, "x", "gone", ""))
    assert json.loads(problem_body(404, "x", "gone", "look elsewhere"))["remedy"] == "look elsewhere"


def test_many_faults_are_told_shortly() -> None:
    """Five by name, the rest by number."""
    faults = [{"type": "missing", "loc": ("lines", number, "flavour")} for number in range(12)]
    detail = from_faults(faults).detail
    assert "`lines.4.flavour` is missing" in detail
    assert "lines.5" not in detail
    assert "and 7 more" in detail
