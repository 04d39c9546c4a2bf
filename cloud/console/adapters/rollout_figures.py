"""What the charts of a rollout need beside what the desk shows: its registers' reports, flavours' names."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from cloud.console.adapters.register import flavour_names
from cloud.console.views.rollout_view import Attested
from cloud.database.schema import register_groups, register_health, releases
from cloud.principal import Principal, Role
from cloud.rollout import rows
from cloud.rollout.desk_rows import read_kept_figures
from cloud.rollout.errors import UnknownRollout
from cloud.rollout.figures import stage_figures
from cloud.rollout.values import Member, Rollout, StageFigures, State


@dataclass(frozen=True, slots=True)
class Figures:
    """One rollout with its registers and what they report of it.

    Attributes:
        stages: Sums by stage: as reported now, or of one that runs no more, as kept when that was ended.
    """

    rollout: Rollout
    members: tuple[Member, ...]
    stages: tuple[StageFigures, ...]
    flavours: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A release that may be rolled out; `alias` is `champion`, `candidate` or empty."""

    release: int
    name: str
    version: str
    listed_at_ms: int


def read_figures(connection: Connection, principal: Principal, rollout: bytes) -> Figures:
    """All of it.

    Raises:
        NotAllowed: No viewer.
        UnknownRollout: Not in this chain.
    """
    principal.require(Role.VIEWER)
    found = rows.read_rollout(connection, principal.tenant, rollout)
    if found is None:
        raise UnknownRollout("there is no such rollout in this chain")
    members, evidence = rows.read_members(connection, principal.tenant, rollout)
    manifest = connection.execute(
        select(releases.c.manifest).where(
            releases.c.tenant == principal.tenant, releases.c.release == found.release
        )
    ).scalar()
    kept = None
    if found.state not in {State.RUNNING, State.PAUSED}:
        kept = read_kept_figures(connection, principal.tenant, rollout)
    stages = stage_figures(found, members, evidence) if kept is None else kept
    return Figures(found, tuple(members), stages, flavour_names(manifest or {}))


def read_choices(connection: Connection, tenant: str) -> list[Choice]:
    """The releases that may run, newest first."""
    may_run = rows.read_may_run(connection, tenant)
    row = releases.c
    statement = (
        select(row.release, row.name, row.version, row.listed_at_ms)
        .where(row.tenant == tenant, row.release.in_(may_run))
        .order_by(row.release.desc())
    )
    return [Choice(*values) for values in connection.execute(statement)]


def read_group_names(connection: Connection, tenant: str) -> list[str]:
    """Named groups of registers."""
    row = register_groups.c
    statement = select(row.group).where(row.tenant == tenant).distinct().order_by(row.group)
    return list(connection.execute(statement).scalars())


def read_attested(connection: Connection, tenant: str, registers: Sequence[str]) -> dict[str, Attested]:
    """What these registers say that they run; a page of them."""
    row = register_health.c
    statement = select(
        row.register, row.running_release, row.running_digest, row.p99_ms, row.received_at_ms
    ).where(row.tenant == tenant, row.register.in_(registers))
    return {register: Attested(*values) for register, *values in connection.execute(statement)}
