"""The releases' pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert, update

from cloud.database.schema import repositories
from cloud.principal import Role
from tests.builders.console_stage import NOW_MS, TENANT, ConsoleStage, build_stage
from tests.builders.fleet_rows import add_releases

HOSTILE = '"><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> ConsoleStage:
    made = build_stage(tmp_path_factory.mktemp("releases"), TENANT, "polar-scoop", "new-chain")
    add_releases(made.desk.database, TENANT, NOW_MS, 6, 7, 8, withdrawn=7, flavour=HOSTILE)
    with made.desk.database.tenant("polar-scoop") as connection:
        connection.execute(
            insert(repositories).values(tenant="polar-scoop", root=b"{}", trusted_at_ms=NOW_MS)
        )
    return made


def test_the_list_says_how_good_each_is_and_what_the_policy_says(stage: ConsoleStage) -> None:
    page = stage.client(Role.VIEWER).get("/releases").text
    for words in (
        "champion",
        "withdrawn",
        "wrong labels in its data",
        "69.6 %",
        "best-sellers 53.1 %",
        "Signed, verified and up to date",
        "/fleet?release=8",
    ):
        assert words in page, words
    assert "Plan a rollout" not in page
    assert "Plan a rollout" in stage.client(Role.OPERATOR).get("/releases").text


def test_one_release_has_its_lineage_and_report(stage: ConsoleStage) -> None:
    page = stage.client(Role.OPERATOR).get("/releases/8").text
    for words in (
        "sha256:",
        "89,825 interactions",
        "3,601 purchases",
        "registry of the chain",
        "Calibration error",
        "points ahead",
        "What must not matter",
        "skin: 94.3 %",
        "/rollouts/new?release=8",
    ):
        assert words in page, words
    assert HOSTILE not in page


def test_a_withdrawn_release_says_why_and_cannot_be_rolled_out(stage: ConsoleStage) -> None:
    page = stage.client(Role.ADMIN).get("/releases/7").text
    assert "wrong labels in its data" in page
    assert "Roll it out" not in page


@pytest.mark.parametrize("release", ["9", "0", "-1", "x", "%00", "1" * 40, "²"])
def test_an_unknown_release_is_not_found(stage: ConsoleStage, release: str) -> None:
    assert stage.client(Role.VIEWER).get(f"/releases/{release}").status_code == 404


def test_empty_states_say_the_next_step(stage: ConsoleStage) -> None:
    untrusted = stage.client(Role.VIEWER, tenant="new-chain").get("/releases").text
    assert "topscoop cloud tenant trust new-chain" in untrusted
    empty = stage.client(Role.VIEWER, tenant="polar-scoop").get("/releases").text
    assert "topscoop model publish" in empty


def test_expired_metadata_and_a_problem_are_shown(tmp_path: Path) -> None:
    """T8: a repository that lags or cannot be believed stands on the page, with what to do."""
    stage = build_stage(tmp_path, TENANT)
    add_releases(stage.desk.database, TENANT, NOW_MS, 6, 7, 8, withdrawn=7, flavour=HOSTILE)
    client = stage.client(Role.VIEWER)

    def with_row(**values: object) -> str:
        with stage.desk.database.tenant(TENANT) as connection:
            connection.execute(update(repositories).where(repositories.c.tenant == TENANT).values(**values))
        return client.get("/releases").text

    assert "expired 1 day ago" in with_row(expires_at_ms=NOW_MS - 86_400_000)
    assert "expires in 2 days" in with_row(expires_at_ms=NOW_MS + 2 * 86_400_000 + 1)
    assert "Last looked at 1 hour ago" in with_row(
        expires_at_ms=NOW_MS + 6 * 86_400_000, checked_at_ms=NOW_MS - 3_600_000
    )
    assert "a signature is wrong" in with_row(problem="a signature is wrong.")
