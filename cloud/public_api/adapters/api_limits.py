"""What a chain may use of the public API, and what it used of it today: statements of two tables."""

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from cloud.config import PublicApiConfig
from cloud.database.schema import api_limits, api_usage


@dataclass(frozen=True, slots=True)
class ApiLimits:
    """Limits of one chain.

    Attributes:
        uploads_per_day: Of the chain.
        uploads_per_minute: Of one person or machine.
        requests_per_minute: Of one person or machine.
        recommendation_days: A recommendation is forgotten after so long.
    """

    uploads_per_day: int
    uploads_per_minute: int
    requests_per_minute: int
    recommendation_days: int

    @classmethod
    def of_config(cls, config: PublicApiConfig) -> "ApiLimits":
        """What holds for a chain without limits of its own."""
        return cls(**{one.name: getattr(config, one.name) for one in fields(cls)})


@dataclass(frozen=True, slots=True)
class Usage:
    """What a chain used on one day (UTC)."""

    day: str
    uploads: int
    bytes: int


def read_limits(connection: Connection, tenant: str, config: PublicApiConfig) -> ApiLimits:
    """A chain's limits: its own, else the configuration's."""
    columns = [api_limits.c[one.name] for one in fields(ApiLimits)]
    row = connection.execute(select(*columns).where(api_limits.c.tenant == tenant)).first()
    return ApiLimits.of_config(config) if row is None else ApiLimits(*row)


def put_limits(connection: Connection, tenant: str, limits: ApiLimits | None) -> None:
    """Give a chain limits of its own; None: those of the configuration again."""
    connection.execute(delete(api_limits).where(api_limits.c.tenant == tenant))
    if limits is not None:
        values = {one.name: getattr(limits, one.name) for one in fields(ApiLimits)}
        connection.execute(api_limits.insert().values(tenant=tenant, **values))


def count_uploads(
    connection: Connection, tenant: str, day: str, number: int, length: int, *, per_day: int | None
) -> bool:
    """Count so many uploads and their bytes; False where the day has no room for them.

    Args:
        connection: The row is locked until its transaction's end: let it be a short one.
        tenant: Whose.
        day: In UTC.
        number: Negative: so many were counted before and are not used.
        length: Bytes.
        per_day: The day's quota; None: whatever it is.
    """
    if per_day is not None and number > per_day:
        return False
    new: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = api_usage.c
    statement = (
        new(api_usage)
        .values(tenant=tenant, day=day, uploads=max(0, number), bytes=length)
        .on_conflict_do_update(
            index_elements=[row.tenant, row.day],
            set_={"uploads": row.uploads + number, "bytes": row.bytes + length},
            where=None if per_day is None else row.uploads + number <= per_day,
        )
        .returning(row.uploads)
    )
    return connection.execute(statement).first() is not None


def read_usage(connection: Connection, tenant: str, day: str) -> Usage:
    """What a chain used on a day, such as `2026-11-23`."""
    row = api_usage.c
    statement = select(row.uploads, row.bytes).where(row.tenant == tenant, row.day == day)
    found = connection.execute(statement).first()
    return Usage(day, 0, 0) if found is None else Usage(day, *found)
