"""The fleet's page."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import update

from cloud.database.schema import register_health
from cloud.principal import Role
from tests.builders.console_stage import NOW_MS, TENANT, ConsoleStage, build_stage
from tests.builders.fleet_rows import add_fleet, add_releases


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> ConsoleStage:
    made = build_stage(tmp_path_factory.mktemp("fleet"), TENANT, "polar-scoop")
    add_releases(made.desk.database, TENANT, NOW_MS, 6, 7, 8)
    add_fleet(made.desk.database, TENANT, NOW_MS, 60)
    return made


def test_the_page_shows_the_fleet_and_leads_on(stage: ConsoleStage) -> None:
    page = stage.client(Role.VIEWER).get("/fleet").text
    assert page.count('data-live-key="till-') == 50
    assert 'href="/fleet/till-00001"' in page
    assert "release 8" in page
    assert 'rel="next"' in page
    assert "Download as CSV" in page


def test_an_address_holds_all_filters(stage: ConsoleStage) -> None:
    """A permalink shows a colleague the same."""
    page = stage.client(Role.VIEWER).get("/fleet?q=0001&state=online&sort=-p99").text
    assert 'value="0001"' in page
    assert '<option value="online" selected>' in page
    assert 'aria-sort="descending"' in page
    assert 'href="/fleet.csv?q=0001&amp;state=online&amp;sort=-p99"' in page


@pytest.mark.parametrize(
    "query",
    [
        "state=asleep",
        "sort=shoe-size",
        "attention=love",
        "release=many",
        "after=x",
        "after=WyJhIl0",
        "before=bnVsbA",
        "after=W05hTiwgInRpbGwtMSJd&sort=p99",
        "store=%00",
        "after=" + "W1" * 400,
    ],
)
def test_an_address_that_means_nothing_is_told_in_words(stage: ConsoleStage, query: str) -> None:
    answer = stage.client(Role.VIEWER).get("/fleet?" + query)
    assert answer.status_code == 400
    assert "Begin at" in answer.text


def test_nothing_found_says_how_to_see_all(stage: ConsoleStage) -> None:
    page = stage.client(Role.VIEWER).get("/fleet?q=%00nothing").text
    assert "No register is like that" in page
    assert "Show all" in page


def test_an_empty_chain_says_the_next_step(stage: ConsoleStage) -> None:
    page = stage.client(Role.VIEWER, tenant="polar-scoop").get("/fleet").text
    assert "No registers yet" in page
    assert "topscoop cloud register add --tenant polar-scoop" in page
    assert "till-00001" not in page


def test_programs_read_json(stage: ConsoleStage) -> None:
    client = stage.client(Role.VIEWER)
    client.headers["accept"] = "application/json"
    document = client.get("/fleet?sort=-seen").json()
    assert document["matching"] == 60
    assert len(document["registers"]) == 50
    rest = client.get(document["next"]).json()
    assert (len(rest["registers"]), rest["next"]) == (10, None)
    problem = client.get("/fleet?sort=shoe-size")
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["status"] == 400
    client.cookies.clear()
    assert client.get("/fleet").status_code == 401


def test_a_spreadsheet_gets_every_row_and_no_formula(stage: ConsoleStage) -> None:
    """T24: what a register says of itself never runs in somebody's spreadsheet."""
    with stage.desk.database.tenant(TENANT) as connection:
        connection.execute(
            update(register_health)
            .where(register_health.c.tenant == TENANT, register_health.c.register == "till-00003")
            .values(agent_version="=HYPERLINK(1)")
        )
    answer = stage.client(Role.VIEWER).get("/fleet.csv?sort=store")
    assert answer.headers["content-disposition"] == f'attachment; filename="{TENANT}-fleet.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == len({row["register"] for row in rows}) == 60
    third = next(row for row in rows if row["register"] == "till-00003")
    assert third["agent_version"] == "'=HYPERLINK(1)"
    assert third["desired_release"] == "8"
