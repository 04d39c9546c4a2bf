"""The audit log's pages."""

import csv
import re
from pathlib import Path

import pytest

from cloud.database.audit_log import write_audit
from cloud.principal import Role
from tests.builders.console_stage import TENANT, ConsoleStage, build_stage

HOSTILE = "=HYPERLINK(1)<script>alert(1)</script>"


@pytest.fixture
def stage(tmp_path: Path) -> ConsoleStage:
    """A chain with 130 entries, and another one with one."""
    stage = build_stage(tmp_path, TENANT, "other-chain")
    with stage.desk.database.tenant(TENANT) as connection:
        for index in range(130):
            actor = "operator:Ada" if index % 2 else "controller"
            write_audit(
                connection,
                TENANT,
                stage.clock[0] - (130 - index) * 3_600_000,
                actor=actor,
                action="rollout.paused" if index % 10 == 0 else "register.enrolled",
                subject=f"till-{index}",
                detail={
                    "words": HOSTILE,
                    "operator": "ab" * 16,
                    "valid_until_ms": 1_795_000_000_000,
                    "budget_p99_ms": 3.1,
                },
            )
    with stage.desk.database.tenant("other-chain") as connection:
        write_audit(connection, "other-chain", 1, actor="a", action="foreign.thing", subject="theirs")
    return stage


def subjects(page: str) -> list[int]:
    """Which entries a page shows."""
    return [int(number) for number in re.findall(r">till-(\d+)</bdi>", page)]


def test_every_entry_is_on_one_page_and_only_one(stage: ConsoleStage) -> None:
    """Newest first, page by page, to the end."""
    client = stage.client(Role.VIEWER)
    page = client.get("/audit").text
    seen = subjects(page)
    while match := re.search(r'href="(/audit\?[^"]*before=[^"]*)">Older', page):
        page = client.get(match[1].replace("&amp;", "&")).text
        seen += subjects(page)
    assert seen == list(reversed(range(130)))
    assert "theirs" not in page


def test_filters_are_in_the_address(stage: ConsoleStage) -> None:
    """By who, what, on what, when; together; and the links keep them."""
    client = stage.client(Role.VIEWER)
    assert subjects(client.get("/audit?action=rollout.").text) == list(range(120, -1, -10))
    assert subjects(client.get("/audit?subject=till-7").text) == [7]
    ada = client.get("/audit?actor=operator:Ada").text
    assert all(number % 2 for number in subjects(ada))
    assert "actor=operator%3AAda&amp;before=" in ada
    assert "/audit.csv?actor=operator%3AAda" in ada
    day = client.get("/audit?since=2026-11-18&until=2026-11-18&actor=operator:Ada").text
    assert subjects(day) == list(range(129, 118, -2))
    assert "No entry fits" in client.get("/audit?actor=nobody").text


def test_a_percent_sign_is_no_wildcard(stage: ConsoleStage) -> None:
    """What is typed is looked for as it is."""
    assert "No entry fits" in stage.client().get("/audit?actor=%25").text
    assert "No entry fits" in stage.client().get("/audit?action=______").text


def test_what_cannot_be_read_is_said(stage: ConsoleStage) -> None:
    """A day that is none, a page that is none."""
    page = stage.client().get("/audit?since=yesterday&until=2026-99-99&before=xyz").text
    assert page.count("Write a day such as 2026-11-22.") == 2
    assert subjects(page)[0] == 129, "what cannot be read leaves nothing out"


def test_one_entry_has_an_address(stage: ConsoleStage) -> None:
    """To send to a colleague; of this chain alone."""
    client = stage.client(Role.VIEWER)
    link = re.search(r'href="(/audit/[0-9a-f]{32})"', client.get("/audit?subject=till-7").text)
    assert link is not None
    page = client.get(link[1]).text
    assert "till-7" in page
    assert "<script>" not in page
    assert "<dt>valid_until</dt><dd><bdi>18 Nov 2026, 11:06 UTC</bdi>" in page, "times, not numbers"
    assert "<dt>budget_p99</dt><dd><bdi>3.1 ms</bdi>" in page
    assert "1795000000000" not in page
    assert stage.client(tenant="other-chain").get(link[1]).status_code == 404
    assert client.get("/audit/nonsense").status_code == 404


def test_the_csv_holds_every_entry_and_no_formula(stage: ConsoleStage) -> None:
    """All that the filter lets through, oldest last; cells that begin with = are text (T24)."""
    answer = stage.client(Role.VIEWER).get("/audit.csv?action=register.")
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert len(rows) == 117
    assert rows[0]["subject"] == "till-129"
    assert "attachment" in answer.headers["content-disposition"]
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())
