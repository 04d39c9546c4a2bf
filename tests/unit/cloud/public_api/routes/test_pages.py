"""The addresses of the pages for phones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.builders.public_api import ApiStage, build_stage

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stage(tmp_path: Path) -> ApiStage:
    return build_stage(tmp_path)


def test_the_first_page_is_try(stage: ApiStage) -> None:
    """Who writes the host alone comes to /try, which anybody may see."""
    client = stage.client(None)
    assert client.get("/").headers["location"] == "/try"
    page = client.get("/try")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert 'data-logged-in="no"' in page.text


def test_each_file_of_a_page_is_there_for_ever(stage: ApiStage) -> None:
    """Every file that a page names, with its type, under an address that changes with it."""
    client = stage.client(None)
    named = set(re.findall(r'(?:href|src)="(/static/[^"#]+)"', client.get("/try").text))
    assert len(named) == 3
    for path in named:
        answer = client.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    folder = next(iter(named)).rpartition("/")[0]
    assert client.get(f"{folder}/it.json").json()["name_of_language"] == "Italiano"
    assert client.get("/static/0000000000000000/phone.css").status_code == 404
    assert client.get(f"{folder}/../app.py").status_code == 404


def test_a_code_is_only_asked_about(stage: ApiStage) -> None:
    """The page of a code changes nothing by being opened; the script asks, once somebody is logged in."""
    page = stage.client(None).get("/c/some-code")
    assert page.status_code == 200
    assert 'data-code="some-code"' in page.text
