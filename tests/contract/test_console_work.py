"""What the console reads of rollouts, arrivals and the audit log, over both databases."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert

from cloud.console.adapters import arrivals
from cloud.console.adapters.attention import read_facts
from cloud.console.adapters.audit_entries import AuditFilter, read_actions, read_entry, read_page
from cloud.console.adapters.rollout_figures import (
    read_attested,
    read_choices,
    read_figures,
    read_group_names,
)
from cloud.database.audit_log import write_audit
from cloud.database.schema import consents, frames, quarantine, refusals, usage, withdrawals
from cloud.principal import NotAllowed, Principal, Role
from cloud.rollout.desk import Desk
from cloud.rollout.errors import UnknownRollout
from cloud.rollout.tick import tick
from cloud.rollout.values import MemberState, Plan, Stage
from tests.builders.cloud_database import NOW_MS, add_tenants, postgres_service, sqlite_database
from tests.builders.fleet_rows import add_fleet, add_releases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud.database.engine import Database
    from tests.builders.postgres import PostgresCluster

HOUR_MS = 3_600_000
TODAY = "2026-11-18"
OTTO = Principal("sole", b"", "Otto", Role.OPERATOR)
STRANGER = Principal("other", b"", "Sam", Role.ADMIN)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Two chains with the same amount of everything, but for the first one's fleet."""
    if request.param == "postgres":
        cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
        with cluster.fresh_database() as made, postgres_service(made) as opened:
            _fill(opened)
            yield opened
    else:
        with sqlite_database(tmp_path_factory.mktemp("work")) as opened:
            _fill(opened)
            yield opened


def _fill(database: Database) -> None:
    add_tenants(database, "sole", "other")
    add_releases(database, "sole", NOW_MS, 6, 7, 8, withdrawn=6)
    add_fleet(database, "sole", NOW_MS, 60)
    for tenant in ("sole", "other"):
        _fill_arrivals(database, tenant)


def _fill_arrivals(database: Database, tenant: str) -> None:
    till = {"tenant": tenant, "register": f"{tenant}-till"}
    with database.tenant(tenant) as connection:
        connection.execute(insert(usage).values(tenant=tenant, day=TODAY, frames=5, bytes=150_000))
        for day, reason, count in (
            (TODAY, "too-old", 4),
            ("2026-11-17", "too-old", 2),
            (TODAY, "revoked", 9),
            ("2026-01-01", "too-old", 99),
        ):
            connection.execute(insert(refusals).values(**till, day=day, reason=reason, count=count))
        for index in range(5):
            key = {**till, "interaction": b"i" * 16, "consent": secrets.token_bytes(16)}
            stored = {"object_key": "k", "version": "v", "size": 30_000, "captured_at_ms": NOW_MS}
            kept = {"stored_at_ms": NOW_MS - index * HOUR_MS // 2, "expires_at_ms": NOW_MS + HOUR_MS}
            connection.execute(
                insert(frames).values(**key, **stored, **kept, message_id=secrets.token_bytes(16))
            )
            told = {"purposes": [], "notice": b"n", "language": "en", "method": "touch", "withdrawal": b"w"}
            ends = NOW_MS + (HOUR_MS if index else -HOUR_MS)
            times = {"granted_at_ms": NOW_MS, "expires_at_ms": ends, "received_at_ms": NOW_MS}
            connection.execute(insert(consents).values(**key, **told, **times, receipt=b"r"))
            if index > 2:
                done = NOW_MS if index == 3 else None
                connection.execute(
                    insert(withdrawals).values(
                        tenant=tenant,
                        consent=key["consent"],
                        source="customer",
                        withdrawn_at_ms=NOW_MS,
                        received_at_ms=NOW_MS,
                        versions_deleted_at_ms=done,
                    )
                )
        message = {"message_id": b"q" * 16, "sha256": b"s" * 32, "at_ms": NOW_MS, "message": b"12345"}
        connection.execute(insert(quarantine).values(**till, **message, error="KeyError"))


def test_arrivals_are_counted_within_their_chain(database: Database) -> None:
    """Hours, refusals by day and by register, quarantine by size alone, consents in force and withdrawn."""
    with database.tenant("sole", read_only=True) as connection:
        assert arrivals.read_usage(connection, "sole", TODAY).frames == 5
        assert arrivals.read_usage(connection, "sole", "2026-11-19").frames == 0
        hours = arrivals.read_hours(connection, "sole", NOW_MS - 10 * HOUR_MS)
        assert sum(hours.values()) == 5
        assert all(hour % HOUR_MS == 0 for hour in hours)
        days = ["2026-11-17", TODAY]
        by_day = arrivals.read_refusals_by_day(connection, "sole", days)
        assert sorted(by_day) == [("2026-11-17", "too-old", 2), (TODAY, "revoked", 9), (TODAY, "too-old", 4)]
        assert arrivals.read_refusals_by_day(connection, "sole", days, "other-till") == []
        worst = arrivals.read_refusals_by_register(connection, "sole", days)
        assert [(one.reason, one.count, one.last_day) for one in worst] == [
            ("revoked", 9, TODAY),
            ("too-old", 6, TODAY),
        ]
        whole, (set_aside,) = arrivals.read_quarantine(connection, "sole")
        assert (whole, set_aside.size, set_aside.register) == (1, 5, "sole-till")
        counts = arrivals.read_consents(connection, "sole", NOW_MS)
        assert (counts.given, counts.in_force, counts.waiting) == (5, 2, 1)
        assert counts.withdrawn == (("customer", 2),)


def test_facts_agree_with_the_fleet(database: Database) -> None:
    """What the overview counts is what a made-up fleet of sixty has; the other chain has none."""
    with database.tenant("sole", read_only=True) as connection:
        facts = read_facts(connection, "sole", NOW_MS, TODAY)
    with database.tenant("other", read_only=True) as connection:
        others = read_facts(connection, "other", NOW_MS, TODAY)
    assert facts.enrolled + facts.invited == 60
    assert (facts.releases, facts.trusted, facts.refused_today, facts.set_aside) == (2, True, 13, 1)
    assert facts.silent > 0
    assert (others.enrolled, others.releases, others.trusted, others.silent) == (0, 0, False, 0)


def test_the_audit_log_pages_by_key(database: Database) -> None:
    """Every entry once, newest first, although many have the same millisecond; other chains' never."""
    with database.tenant("sole") as connection:
        for index in range(23):
            write_audit(connection, "sole", NOW_MS, actor="pager%", action="test.page", subject=f"s{index}")
    with database.tenant("other") as connection:
        write_audit(connection, "other", NOW_MS, actor="pager%", action="test.page", subject="theirs")
    wanted, seen, before, more = AuditFilter(actor="pager%"), [], None, True
    with database.tenant("sole", read_only=True) as connection:
        while more:
            page, more = read_page(connection, "sole", wanted, before=before, limit=5)
            seen += [entry.subject for entry in page]
            before = page[-1].entry
        assert sorted(seen) == sorted(f"s{index}" for index in range(23))
        assert read_page(connection, "sole", AuditFilter(actor="page_")) == ([], False)
        assert "test.page" in read_actions(connection, "sole")
        assert before is not None
        found = read_entry(connection, "sole", before)
        assert found is not None
        assert found.subject == seen[-1]
        late = AuditFilter(action="test.", from_ms=NOW_MS + 1)
        assert read_page(connection, "sole", late) == ([], False)


def test_a_rollouts_figures_are_of_its_chain(database: Database) -> None:
    """Members, what they attest, sums by stage; a stranger finds nothing, and nobody without a role."""
    desk = Desk(database, lambda: NOW_MS)
    rollout = desk.plan(OTTO, 8, Plan((Stage("pilots", group="pilot"), Stage("all", share=1.0))))
    desk.start(OTTO, rollout, "test")
    tick(database, "sole", NOW_MS)
    with database.tenant("sole", read_only=True) as connection:
        figures = read_figures(connection, OTTO, rollout)
        told = [one.register for one in figures.members if one.state is not MemberState.WAITING]
        assert told
        pilots, everybody = figures.stages
        assert pilots.registers <= len(told)
        assert everybody.registers == 0
        attested = read_attested(connection, "sole", told)
        assert {one.release for one in attested.values()} <= {7, 8}
        assert [one.release for one in read_choices(connection, "sole")] == [8, 7]
        assert read_group_names(connection, "sole") == ["pilot"]
        assert figures.flavours[0] == "Vanilla"
    with database.tenant("other", read_only=True) as connection:
        with pytest.raises(UnknownRollout):
            read_figures(connection, STRANGER, rollout)
        assert read_choices(connection, "other") == []
    assert not issubclass(UnknownRollout, NotAllowed)
