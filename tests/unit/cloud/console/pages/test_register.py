"""One register's page."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from cloud.database.schema import audit, refusals, registers, rollout_members, rollouts
from cloud.principal import Role
from tests.builders.console_stage import NOW_MS, TENANT, ConsoleStage, build_stage
from tests.builders.fleet_rows import add_fleet, add_releases

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> ConsoleStage:
    made = build_stage(tmp_path_factory.mktemp("register"))
    add_releases(made.desk.database, TENANT, NOW_MS, 7, 8, flavour=HOSTILE)
    add_fleet(made.desk.database, TENANT, NOW_MS, 12)
    key = {"tenant": TENANT, "rollout": bytes(16)}
    with made.desk.database.tenant(TENANT) as connection:
        connection.execute(
            insert(rollouts).values(
                **key,
                revision=1,
                release=8,
                previous=7,
                state="returned",
                stage=0,
                plan={},
                baseline={},
                created_by="Otto",
                created_at_ms=NOW_MS - 9,
            )
        )
        connection.execute(
            insert(rollout_members).values(
                **key,
                register="till-00002",
                stage=0,
                state="failed",
                told_at_ms=NOW_MS - 8,
                changed_at_ms=NOW_MS - 7,
                reason=HOSTILE,
            )
        )
        connection.execute(
            insert(refusals).values(
                tenant=TENANT, register="till-00002", reason="signature", day="2026-11-18", count=3
            )
        )
        connection.execute(
            insert(registers).values(
                tenant=TENANT, register="new-till", store="new", state="invited", created_at_ms=NOW_MS
            )
        )
    return made


def test_all_that_it_reports_is_there(stage: ConsoleStage) -> None:
    page = stage.client(Role.VIEWER).get("/fleet/till-00002").text
    for words in (
        "Runs, attested",
        "Desired",
        "On trial",
        "Same first flavour",
        "86.3 %",
        "Lowest release it may run",
        "How sure the model is",
        "Consent blanks left",
        "frames_dropped",
        "signature",
        "Certificate",
        "generation 4",
    ):
        assert words in page, words
    assert "data-live=" in page


def test_names_and_reasons_stay_text(stage: ConsoleStage) -> None:
    """T24: a flavour called `<script>` and a reason of the same kind are words on the page."""
    page = stage.client(Role.VIEWER).get("/fleet/till-00002").text
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_register_that_never_spoke_says_the_next_step(stage: ConsoleStage) -> None:
    page = stage.client(Role.VIEWER).get("/fleet/new-till").text
    assert "has not enrolled" in page
    assert "No report has come from it yet" in page


@pytest.mark.parametrize("name", ["till-99999", "TILL", "%00", "a" * 99])
def test_an_unknown_register_is_not_found(stage: ConsoleStage, name: str) -> None:
    answer = stage.client(Role.VIEWER).get(f"/fleet/{name}")
    assert answer.status_code == 404
    assert "Look for it in the fleet" in answer.text


def test_operators_change_groups_and_it_is_recorded(stage: ConsoleStage) -> None:
    client = stage.client(Role.OPERATOR)
    path = "/fleet/till-00004/groups"
    assert client.send_form(path, {"group": " pilot "}).status_code == 303
    assert "Leave the group pilot" in client.get("/fleet/till-00004").text
    assert client.send_form(path, {"group": "No Name!"}).status_code == 400
    assert client.send_form(path).status_code == 400
    assert client.send_form(f"{path}/leave", {"group": "pilot"}).status_code == 303
    assert "Leave the group" not in client.get("/fleet/till-00004").text
    with stage.desk.database.tenant(TENANT, read_only=True) as connection:
        found = connection.execute(
            select(audit.c.action, audit.c.subject, audit.c.detail).where(
                audit.c.tenant == TENANT, audit.c.action.startswith("register.group")
            )
        ).all()
    assert {(row.action, row.subject, row.detail["group"]) for row in found} == {
        ("register.group_joined", "till-00004", "pilot"),
        ("register.group_left", "till-00004", "pilot"),
    }


def test_viewers_may_look_only(stage: ConsoleStage) -> None:
    """The button is not there, and the form is refused."""
    client = stage.client(Role.VIEWER)
    assert "Put it into" not in client.get("/fleet/till-00004").text
    answer = client.send_form("/fleet/till-00004/groups", {"group": "pilot"})
    assert answer.status_code == 403
    assert "Ask an admin of your chain" in answer.text


def test_charts_have_addresses_of_their_own(stage: ConsoleStage) -> None:
    client = stage.client(Role.VIEWER)
    assert client.get("/fleet/till-00002/charts/nothing.svg").status_code == 404
    assert client.get("/fleet/new-till/charts/labels.svg").status_code == 404
