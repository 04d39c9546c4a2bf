"""`GET /v1/menu` and `GET /v1/notice`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.builders.cloud_database import NOW_MS
from tests.builders.public_api import OTHER, ApiStage, build_stage
from tests.builders.recommendation_rows import add_release

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stage(tmp_path: Path) -> ApiStage:
    return build_stage(tmp_path)


def flavours(stage: ApiStage) -> list[str]:
    return [one["flavour"] for one in stage.client().get("/v1/menu").json()["flavours"]]


def test_the_menu_is_the_champions(stage: ApiStage) -> None:
    """The alias decides; without one that may be used, the newest release that was not withdrawn."""
    database = stage.desk.database
    add_release(database, 3, "lemon")
    add_release(database, 4, "basil")
    assert flavours(stage) == ["basil"]
    add_release(database, 5, "walnut", withdrawn_at_ms=NOW_MS)
    assert flavours(stage) == ["basil"]
    add_release(database, 2, "fig", champion=True)
    assert flavours(stage) == ["fig"]


def test_a_release_below_the_minimum_recommends_nothing(stage: ApiStage) -> None:
    """Champion or not; with no other there is no menu."""
    add_release(stage.desk.database, 2, "fig", champion=True, minimum=3)
    answer = stage.client().get("/v1/menu")
    assert (answer.status_code, answer.json()["type"]) == (503, "/docs/problems#no-model")
    add_release(stage.desk.database, 3, "lemon")
    assert flavours(stage) == ["lemon"]


def test_another_chains_menu_is_its_own(stage: ApiStage) -> None:
    """Releases of one chain say nothing to another's people."""
    add_release(stage.desk.database, 3, "lemon")
    assert stage.client(tenant=OTHER).get("/v1/menu").status_code == 503
    assert stage.client(None).get("/v1/menu").status_code == 401


@pytest.mark.parametrize(
    ("language", "accept", "name"),
    [
        (None, None, "Lemon"),
        ("de", None, "Zitrone"),
        (None, "it, de;q=0.5", "Zitrone"),
        ("it", "it", "Lemon"),
    ],
)
def test_names_come_in_the_readers_language(
    stage: ApiStage, language: str | None, accept: str | None, name: str
) -> None:
    """Else in English."""
    add_release(stage.desk.database, 3, "lemon", german={"lemon": "Zitrone"})
    answer = stage.client().get(
        "/v1/menu",
        params={} if language is None else {"language": language},
        headers={} if accept is None else {"accept-language": accept},
    )
    [flavour] = answer.json()["flavours"]
    assert flavour["name"] == name
    assert flavour["names"] == {"en": "Lemon", "de": "Zitrone"}


def test_the_notice_is_public_and_in_the_readers_language(stage: ApiStage) -> None:
    """Its digest is that of its text; what a client has is not sent again."""
    client = stage.client(None)
    german = client.get("/v1/notice", headers={"accept-language": "xx, de-AT;q=0.8, fr;q=0.5"})
    assert german.json()["language"] == "de"
    assert german.json()["sha256"] == hashlib.sha256(german.json()["text"].encode()).hexdigest()
    assert client.get("/v1/notice", params={"language": "fr"}).json()["language"] == "fr"
    assert client.get("/v1/notice", params={"language": "xx"}).json()["language"] == "en"
    assert {"de", "en", "es", "fr", "it"} <= set(german.json()["languages"])
    again = client.get(
        "/v1/notice", params={"language": "de"}, headers={"if-none-match": german.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
