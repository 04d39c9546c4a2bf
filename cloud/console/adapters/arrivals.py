"""What arrives from a chain's registers, in counts; no picture and no person is read here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from cloud.database.schema import (
    consents,
    frames,
    quarantine,
    refusals,
    tenants,
    usage,
    withdrawals,
)

HOUR_MS: Final = 3_600_000
_WORST_REGISTERS: Final = 50
_QUARANTINE_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Usage:
    """What a chain has used today of what it may."""

    frames: int
    frames_per_day: int
    bytes: int
    bytes_per_day: int


@dataclass(frozen=True, slots=True)
class Refusals:
    """Refused messages of one register for one reason, over the days that were asked for."""

    register: str
    reason: str
    count: int
    last_day: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """A message in quarantine; its bytes stay there."""

    register: str
    message_id: bytes
    at_ms: int
    error: str
    size: int


@dataclass(frozen=True, slots=True)
class ConsentCounts:
    """Consents and what became of them."""

    given: int
    in_force: int
    withdrawn: tuple[tuple[str, int], ...]
    """By source."""
    waiting: int
    """Withdrawals whose frames are not all deleted yet."""


def read_usage(connection: Connection, tenant: str, today: str) -> Usage:
    """Today's use and the chain's quota."""
    quota = connection.execute(
        select(tenants.c.frames_per_day, tenants.c.bytes_per_day).where(tenants.c.tenant == tenant)
    ).one()
    used = connection.execute(
        select(usage.c.frames, usage.c.bytes).where(usage.c.tenant == tenant, usage.c.day == today)
    ).first()
    return Usage(
        used.frames if used else 0, quota.frames_per_day, used.bytes if used else 0, quota.bytes_per_day
    )


def read_hours(connection: Connection, tenant: str, first_ms: int) -> dict[int, int]:
    """Frames stored by the hour's first millisecond, from `first_ms` on."""
    hour = (frames.c.stored_at_ms // HOUR_MS).label("hour")
    statement = (
        select(hour, func.count())
        .where(frames.c.tenant == tenant, frames.c.stored_at_ms >= first_ms)
        .group_by(hour)
    )
    return {row[0] * HOUR_MS: row[1] for row in connection.execute(statement)}


def read_refusals_by_day(
    connection: Connection, tenant: str, days: Sequence[str], register: str | None = None
) -> list[tuple[str, str, int]]:
    """Day, reason, how many; of one register, or of all."""
    count = func.sum(refusals.c.count)
    statement = (
        select(refusals.c.day, refusals.c.reason, count)
        .where(refusals.c.tenant == tenant, refusals.c.day.in_(days))
        .group_by(refusals.c.day, refusals.c.reason)
    )
    if register is not None:
        statement = statement.where(refusals.c.register == register)
    return [(day, reason, int(number)) for day, reason, number in connection.execute(statement)]


def read_refusals_by_register(connection: Connection, tenant: str, days: Sequence[str]) -> list[Refusals]:
    """The registers and reasons with the most refusals, the worst first."""
    count = func.sum(refusals.c.count).label("number")
    statement = (
        select(refusals.c.register, refusals.c.reason, count, func.max(refusals.c.day))
        .where(refusals.c.tenant == tenant, refusals.c.day.in_(days))
        .group_by(refusals.c.register, refusals.c.reason)
        .order_by(count.desc(), refusals.c.register, refusals.c.reason)
        .limit(_WORST_REGISTERS)
    )
    return [
        Refusals(register, reason, int(number), day)
        for register, reason, number, day in connection.execute(statement)
    ]


def read_quarantine(connection: Connection, tenant: str) -> tuple[int, list[SetAside]]:
    """How many messages are set aside, and the newest of them."""
    row = quarantine.c
    whole = connection.execute(select(func.count()).where(row.tenant == tenant)).scalar_one()
    statement = (
        select(row.register, row.message_id, row.at_ms, row.error, func.length(row.message))
        .where(row.tenant == tenant)
        .order_by(row.at_ms.desc())
        .limit(_QUARANTINE_SHOWN)
    )
    return whole, [SetAside(*values) for values in connection.execute(statement)]


def read_consents(connection: Connection, tenant: str, now_ms: int) -> ConsentCounts:
    """How many consents were given, are in force, were withdrawn; which erasures are not done."""
    gone = select(withdrawals.c.consent).where(withdrawals.c.tenant == tenant)
    of_tenant = consents.c.tenant == tenant
    given = connection.execute(select(func.count()).where(of_tenant)).scalar_one()
    in_force = connection.execute(
        select(func.count()).where(
            of_tenant, consents.c.expires_at_ms > now_ms, consents.c.consent.not_in(gone)
        )
    ).scalar_one()
    by_source = connection.execute(
        select(withdrawals.c.source, func.count())
        .where(withdrawals.c.tenant == tenant)
        .group_by(withdrawals.c.source)
        .order_by(withdrawals.c.source)
    ).all()
    waiting = connection.execute(
        select(func.count()).where(
            withdrawals.c.tenant == tenant, withdrawals.c.versions_deleted_at_ms.is_(None)
        )
    ).scalar_one()
    return ConsentCounts(given, in_force, tuple((source, number) for source, number in by_source), waiting)
