"""What the desk reads and writes, as statements within a tenant's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cloud.database.schema import (
    register_health,
    registers,
    releases,
    rollout_events,
    rollout_members,
    rollout_policies,
    rollouts,
    stores,
)
from cloud.database.tills import IS_TILL
from cloud.database.timeline import new_id
from cloud.rollout.errors import RolloutChanged, UnknownRelease
from cloud.rollout.figures import figures_from, figures_to
from cloud.rollout.plan_values import plan_to
from cloud.rollout.values import (
    GateKind,
    GateVerdict,
    Member,
    MemberState,
    Outcome,
    Plan,
    Rollout,
    StageFigures,
    State,
)
from cloud.rollout.views import TimelineEntry
from wire_protocol.release_metadata import RELEASE_MAX

_CHUNK = 500
"""Rows or names in one statement; SQLite takes so many parameters in every build."""
_ENDS = ("stage", "promoted", "failed", "return", "done")
"""Entries of a timeline that end a stage or the rollout."""
_ENDS_MAX = 4
"""The newest of them: one that was done and then returned keeps figures in each, verdicts in the first."""


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A release that the chain's signed metadata listed."""

    release: int
    name: str
    version: str
    digest: str
    withdrawn: str | None


def read_release(connection: Connection, tenant: str, release: int) -> ReleaseRow:
    """One of them. Raises UnknownRelease."""
    row = None
    if 0 < release <= RELEASE_MAX:
        found = select(releases).where(releases.c.tenant == tenant, releases.c.release == release)
        row = connection.execute(found).first()
    if row is None:
        raise UnknownRelease(
            f"there is no release {release} in {tenant}",
            remedy="Publish it with `topscoop model publish`; it is seen within half a minute.",
        )
    withdrawn = None if row.withdrawn_at_ms is None else (row.withdrawn_reason or "without a reason")
    return ReleaseRow(row.release, row.name, row.version, row.digest, withdrawn)


def read_release_names(connection: Connection, tenant: str) -> dict[int, tuple[str, str]]:
    """Release -> its name and version."""
    found = select(releases.c.release, releases.c.name, releases.c.version).where(releases.c.tenant == tenant)
    return {release: (name, version) for release, name, version in connection.execute(found)}


def read_known_stores(connection: Connection, tenant: str) -> set[str]:
    """Every store in which a register stands, or that was described."""
    standing = select(registers.c.store).where(registers.c.tenant == tenant, IS_TILL)
    described = select(stores.c.store).where(stores.c.tenant == tenant)
    return set(connection.execute(standing.union(described)).scalars())


def read_counts(
    connection: Connection, tenant: str, wanted: Sequence[bytes]
) -> dict[bytes, dict[MemberState, int]]:
    """Rollout -> registers by state, of these rollouts."""
    member = rollout_members.c
    found = (
        select(member.rollout, member.state, func.count())
        .where(member.tenant == tenant, member.rollout.in_(wanted))
        .group_by(member.rollout, member.state)
    )
    counts: dict[bytes, dict[MemberState, int]] = {}
    for rollout, state, number in connection.execute(found):
        counts.setdefault(rollout, {})[MemberState(state)] = number
    return counts


def read_timeline(connection: Connection, tenant: str, rollout: bytes, limit: int) -> list[TimelineEntry]:
    """What happened, newest first."""
    event = rollout_events.c
    found = (
        select(event.at_ms, event.actor, event.kind, event.stage, event.words)
        .where(event.tenant == tenant, event.rollout == rollout)
        .order_by(event.entry.desc())
        .limit(limit)
    )
    return [TimelineEntry(*row) for row in connection.execute(found)]


def read_verdicts(connection: Connection, tenant: str, rollout: bytes) -> tuple[GateVerdict, ...]:
    """The gates as they spoke when this rollout was last moved on, or stopped."""
    for detail in _ended(connection, tenant, rollout):
        if "gates" in detail:
            return tuple(verdict_from(one) for one in detail["gates"])
    return ()


def read_kept_figures(connection: Connection, tenant: str, rollout: bytes) -> tuple[StageFigures, ...] | None:
    """What the stages' registers reported when this rollout was last moved on, or stopped; None: not kept."""
    for detail in _ended(connection, tenant, rollout):
        if "stages" in detail:
            return tuple(figures_from(one) for one in detail["stages"])
    return None


def _ended(connection: Connection, tenant: str, rollout: bytes) -> Iterable[Mapping[str, Any]]:
    """Details of what ended a stage, or the rollout, newest first."""
    event = rollout_events.c
    found = (
        select(event.detail)
        .where(event.tenant == tenant, event.rollout == rollout, event.kind.in_(_ENDS))
        .order_by(event.entry.desc())
        .limit(_ENDS_MAX)
    )
    return connection.execute(found).scalars()


def evidence_to(gates: Sequence[GateVerdict], figures: Sequence[StageFigures]) -> dict[str, Any]:
    """What the timeline keeps of the moment: what gates said, and the figures that they looked at."""
    return {
        "gates": [verdict_to(gate) for gate in gates],
        "stages": [figures_to(stage) for stage in figures],
    }


def verdict_to(verdict: GateVerdict) -> dict[str, Any]:
    """As JSON; `verdict_from` reads it back."""
    return {
        "kind": verdict.kind.value,
        "outcome": verdict.outcome.value,
        "words": verdict.words,
        "value": verdict.value,
        "limit": verdict.limit,
        "missing": verdict.missing,
        "waits": verdict.waits,
    }


def verdict_from(value: Mapping[str, Any]) -> GateVerdict:
    """What `verdict_to` wrote."""
    return GateVerdict(
        GateKind(value["kind"]),
        Outcome(value["outcome"]),
        value["words"],
        value["value"],
        value["limit"],
        value["missing"],
        value.get("waits", ""),  # entries of before have none
    )


def read_planner(connection: Connection, tenant: str, rollout: bytes) -> str | None:
    """The id of who planned a rollout, hex; empty for the command line, None where nothing says so."""
    event = rollout_events.c
    found = select(event.detail).where(
        event.tenant == tenant, event.rollout == rollout, event.kind == "planned"
    )
    planner = (connection.execute(found).scalar() or {}).get("operator")
    return planner if isinstance(planner, str) else None


def read_baseline(
    connection: Connection, tenant: str, wanted: Iterable[str], release: int
) -> tuple[dict[str, list[int]], int | None]:
    """What these registers' models say before a rollout begins, and the release that most of them run.

    Counts of another catalogue than most have are left out, and what the release itself says, too.
    """
    health, names = register_health.c, frozenset(wanted)
    found = select(health.register, health.running_release, health.confidence, health.labels).where(
        health.tenant == tenant
    )
    confidence: list[list[int]] = []
    labels: list[list[int]] = []
    running: dict[int, int] = {}
    for register, runs, sure, first in connection.execute(found):
        if register not in names or runs == release:
            continue
        if runs is not None:
            running[runs] = running.get(runs, 0) + 1
        confidence += [sure] if sure else []
        labels += [first] if first else []
    baseline = {"confidence": _sums(confidence), "labels": _sums(labels)}
    return baseline, max(running, key=lambda one: (running[one], one), default=None)


def _sums(counts: Sequence[Sequence[int]]) -> list[int]:
    lengths = [len(one) for one in counts]
    usual = max(set(lengths), key=lengths.count, default=0)
    return [sum(column) for column in zip(*(one for one in counts if len(one) == usual), strict=True)]


# ---- writing ----------------------------------------------------------------------------------------------


def add_rollout(
    connection: Connection, tenant: str, release: int, plan: Plan, now_ms: int, *, created_by: str
) -> bytes:
    """A draft; returns its id."""
    rollout = new_id(now_ms)
    connection.execute(
        insert(rollouts).values(
            tenant=tenant,
            rollout=rollout,
            revision=1,
            release=release,
            state=State.DRAFT.value,
            stage=0,
            plan=plan_to(plan),
            baseline={},
            created_by=created_by,
            created_at_ms=now_ms,
        )
    )
    return rollout


def change_rollout(connection: Connection, rollout: Rollout, **values: object) -> None:
    """Change a rollout that nobody changed since it was read.

    Raises:
        RolloutChanged: Somebody did; roll the transaction back.
    """
    change = (
        update(rollouts)
        .where(
            rollouts.c.tenant == rollout.tenant,
            rollouts.c.rollout == rollout.rollout,
            rollouts.c.revision == rollout.revision,
        )
        .values(revision=rollout.revision + 1, **values)
    )
    if connection.execute(change).rowcount != 1:
        raise RolloutChanged(
            f"rollout {rollout.rollout.hex()} was changed at the same moment; nothing was done",
            remedy="Look at it again, and repeat what you wanted.",
        )


def add_members(connection: Connection, rollout: Rollout, members: Sequence[Member], now_ms: int) -> None:
    """Registers that wait for their stage."""
    for start in range(0, len(members), _CHUNK):
        rows = [
            {
                "tenant": rollout.tenant,
                "rollout": rollout.rollout,
                "register": member.register,
                "stage": member.stage,
                "state": member.state.value,
                "changed_at_ms": now_ms,
            }
            for member in members[start : start + _CHUNK]
        ]
        connection.execute(insert(rollout_members), rows)


def lock_policy(connection: Connection, tenant: str) -> None:
    """From here to the end of the transaction nobody else starts, freezes or stops in this chain."""
    insert_once(connection, rollout_policies, {"tenant": tenant, "approval": False})
    connection.execute(
        select(rollout_policies.c.tenant).where(rollout_policies.c.tenant == tenant).with_for_update()
    )


def change_policy(connection: Connection, tenant: str, **values: object) -> None:
    """After `lock_policy`."""
    connection.execute(update(rollout_policies).where(rollout_policies.c.tenant == tenant).values(**values))


def insert_once(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Insert unless a row of that primary key is there."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).values(row).on_conflict_do_nothing())
