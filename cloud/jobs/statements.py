"""The queue's statements, the same on SQLite and PostgreSQL; time is the database's own, in milliseconds.

`ready_at_ms` says when a job may be taken next: at once, after a back-off, when its lease ends, or never.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Select, and_, case, delete, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from cloud.database.schema import jobs
from cloud.jobs.values import Backlog, JobState, Lease, Queue

NEVER_MS: Final = 2**62
"""Of a job that is set aside: no worker takes it."""
ERROR_CHARACTERS: Final = 500


class DatabaseNow(FunctionElement[int]):
    """Milliseconds since 1970 by the clock of the database's machine; goes on within a transaction."""

    type = BigInteger()
    inherit_cache = True


@compiles(DatabaseNow, "postgresql")
def _postgres_now(*_: Any, **__: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


@compiles(DatabaseNow, "sqlite")
def _sqlite_now(*_: Any, **__: Any) -> str:
    return "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"


_POLLED_AT: Final = select(DatabaseNow()).scalar_subquery()
"""Asked once for each statement: PostgreSQL compares an index with no function that goes on meanwhile."""


def add(connection: Connection, tenant: str, queue: Queue, job: bytes, now_ms: int) -> bool:
    """Insert a job that is ready at once; False where it is there already."""
    maker: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = (
        maker(jobs)
        .values(
            tenant=tenant,
            job=job,
            queue=queue.value,
            state=JobState.READY.value,
            attempts=0,
            enqueued_at_ms=now_ms,
            ready_at_ms=DatabaseNow(),
        )
        .on_conflict_do_nothing()
        .returning(jobs.c.job)
    )
    return connection.execute(statement).first() is not None


def tenants_due(connection: Connection, queue: Queue) -> list[str]:
    """Who has a job that may be taken now, sorted.

    The index is stepped through from tenant to tenant, so that a chain with a million jobs costs no more
    than one with a single job.
    """
    return list(connection.execute(_tenants_due(queue)).scalars())


@cache
def _tenants_due(queue: Queue) -> Select[Any]:
    """The statement, made once for each queue: workers poll with it."""
    step = jobs.alias("step")
    first = select(func.min(step.c.tenant).label("tenant")).where(step.c.queue == queue.value)
    turn = first.cte("turn", recursive=True)
    following = (
        select(func.min(step.c.tenant))
        .where(step.c.queue == queue.value, step.c.tenant > turn.c.tenant)
        .scalar_subquery()
    )
    turn = turn.union_all(select(following).where(turn.c.tenant.is_not(None)))
    due = exists().where(
        jobs.c.queue == queue.value, jobs.c.tenant == turn.c.tenant, jobs.c.ready_at_ms <= _POLLED_AT
    )
    return select(turn.c.tenant).where(turn.c.tenant.is_not(None), due)


def take(
    connection: Connection, tenant: str, queue: Queue, limit: int, *, lease_ms: int, token: bytes
) -> list[Lease]:
    """Lease up to `limit` jobs of this tenant that are due, oldest first; what others hold is skipped."""
    due = (
        select(jobs.c.job)
        .where(jobs.c.queue == queue.value, jobs.c.tenant == tenant, jobs.c.ready_at_ms <= _POLLED_AT)
        .order_by(jobs.c.ready_at_ms)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    until = DatabaseNow() + lease_ms
    statement = (
        update(jobs)
        .where(jobs.c.queue == queue.value, jobs.c.tenant == tenant, jobs.c.job.in_(select(due.c.job)))
        .values(
            state=JobState.LEASED.value,
            attempts=jobs.c.attempts + 1,
            lease_token=token,
            lease_until_ms=until,
            ready_at_ms=until,
        )
        .returning(jobs.c.job, jobs.c.attempts, jobs.c.enqueued_at_ms, jobs.c.lease_until_ms)
    )
    rows = connection.execute(statement).all()
    leases = [Lease(tenant, queue, bytes(row[0]), token, row[1], row[2], row[3]) for row in rows]
    return sorted(leases, key=lambda lease: (lease.enqueued_at_ms, lease.job))


@dataclass(frozen=True, slots=True)
class Held:
    """Jobs of one tenant and queue, as the holder of one token names them."""

    tenant: str
    queue: Queue
    token: bytes
    ids: tuple[bytes, ...]

    @property
    def matches(self) -> Any:
        """The condition: those that this token still holds."""
        row = jobs.c
        return and_(
            row.tenant == self.tenant,
            row.queue == self.queue.value,
            row.job.in_(self.ids),
            row.lease_token == self.token,
        )


def remove(connection: Connection, held: Held) -> set[bytes]:
    """Delete those that are still held, and say which."""
    statement = delete(jobs).where(held.matches).returning(jobs.c.job)
    return {bytes(found) for found in connection.execute(statement).scalars()}


def write(connection: Connection, held: Held, values: Mapping[str, Any]) -> set[bytes]:
    """Change those that are still held, and say which."""
    statement = update(jobs).where(held.matches).values(**values).returning(jobs.c.job)
    return {bytes(found) for found in connection.execute(statement).scalars()}


def backlog(connection: Connection, queue: Queue) -> list[Backlog]:
    """What waits of each tenant, by its name."""
    dead = case((jobs.c.state == JobState.DEAD.value, 1), else_=0)
    since = case((jobs.c.state != JobState.DEAD.value, jobs.c.enqueued_at_ms))
    statement = (
        select(
            jobs.c.tenant,
            func.sum(1 - dead),
            func.sum(dead),
            func.coalesce(DatabaseNow() - func.min(since), 0),
        )
        .where(jobs.c.queue == queue.value)
        .group_by(jobs.c.tenant)
        .order_by(jobs.c.tenant)
    )
    return [
        Backlog(tenant, int(waiting), int(set_aside), max(0, int(oldest_ms)))
        for tenant, waiting, set_aside, oldest_ms in connection.execute(statement)
    ]
