"""A refusal, as a page and as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders.public_api import ApiStage, build_stage

if TYPE_CHECKING:
    from pathlib import Path

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-language": "de"}


@pytest.fixture
def stage(tmp_path: Path) -> ApiStage:
    return build_stage(tmp_path)


def test_people_get_a_page_and_programs_a_document(stage: ApiStage) -> None:
    """In the person's language, with the same status; below /v1/ it is always the document."""
    client = stage.client(None)
    page = client.get("/nowhere", headers=BROWSER)
    assert page.status_code == 404
    assert "Diese Seite gibt es nicht" in page.text
    for path, headers in (("/nowhere", {"accept": "*/*"}), ("/v1/nowhere", BROWSER)):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 404
        assert answer.json()["type"] == "/docs/problems#not-found"


def test_a_host_of_no_chain_is_said_in_words(stage: ApiStage) -> None:
    """Even there a page comes, for somebody scanned an address."""
    page = stage.client(None).get("/try", headers=BROWSER | {"host": "nobody.api.example"})
    assert page.status_code == 421
    assert "gehört zu keiner Kette" in page.text
    assert "default-src 'none'; script-src 'self'" in page.headers["content-security-policy"]
