"""The queue in the database: jobs are leased, and whoever lost a lease can end nothing.

A job is added within the transaction that makes it necessary, and finished within the one that holds its
result: there is never one without the other. Leases count by the database's clock, so that workers whose
clocks differ agree. A worker that died holds its jobs until their lease ends; then others take them over.
"""

import secrets
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final

from sqlalchemy import Connection, text

from cloud.database.engine import Database
from cloud.database.notifications import JOBS, notify
from cloud.database.schema import jobs
from cloud.jobs import statements
from cloud.jobs.turns import in_turn, share
from cloud.jobs.values import Backlog, JobState, Lease, Queue

_TOKEN_BYTES: Final = 16


def enqueue(connection: Connection, tenant: str, queue: Queue, job: bytes, now_ms: int) -> bool:
    """Add a job within the caller's transaction of `tenant`; workers wake when it commits.

    Args:
        connection: Of the tenant; rolled back, there is no job and nobody wakes.
        tenant: Whose.
        queue: What for.
        job: 16 bytes, once in a queue.
        now_ms: Since when it waits, for those who look; when it may be taken the database's clock says.

    Returns:
        False where it is there already, in whatever state: nothing changed.
    """
    if not statements.add(connection, tenant, queue, job, now_ms):
        return False
    notify(connection, JOBS, queue.value)
    return True


def finish(connection: Connection, lease: Lease) -> bool:
    """End a job within the transaction that holds its result.

    Returns:
        False where the lease is another's by now, or somebody dropped the job: write nothing, roll back.
    """
    return lease.job in finish_all(connection, [lease])


def finish_all(connection: Connection, leases: Sequence[Lease]) -> set[bytes]:
    """End jobs of one tenant, and say which: the others are not ours any more, and get no result."""
    return _fenced(leases, lambda held: statements.remove(connection, held))


def next_step(connection: Connection, leases: Sequence[Lease], lease_ms: int) -> set[bytes]:
    """Note that the first part of these jobs of one tenant is done, and keep them for so long again.

    The attempts are counted anew. Returns which are still ours.
    """
    until = statements.DatabaseNow() + lease_ms
    values = {"attempts": 1, "ready_at_ms": until, "lease_until_ms": until}
    return _fenced(leases, lambda held: statements.write(connection, held, values))


def bury(connection: Connection, lease: Lease, error: str) -> bool:
    """Set a job aside, within the transaction that tells its owner; False as `finish`."""
    values = {**_given_back(JobState.DEAD), "ready_at_ms": statements.NEVER_MS, "error": _short(error)}
    return lease.job in _fenced([lease], lambda held: statements.write(connection, held, values))


def _nothing(_: Connection, __: str, ___: list[Lease]) -> None:
    """Only the leases are wanted."""


class JobQueue:
    """Leases, in transactions of their own; threads may share one.

    Args:
        database: Where jobs wait.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._served: dict[Queue, str] = {}

    def lease(
        self,
        queue: Queue,
        limit: int,
        lease_ms: int,
        also: Callable[[Connection, str, list[Lease]], None] = _nothing,
    ) -> list[Lease]:
        """Up to `limit` jobs that are ready, or whose lease ended; tenants take turns.

        Args:
            queue: Of what kind.
            limit: At most; 0 where nothing waits.
            lease_ms: From now, by the database's clock.
            also: Done with the jobs of a tenant in the transaction that leases them.

        Raises:
            DatabaseAway: Nothing was leased.
        """
        with self._database.system(read_only=True) as connection:
            _listing(connection, on=True)
            tenants = statements.tenants_due(connection, queue)
        if not tenants:
            return []
        token = secrets.token_bytes(_TOKEN_BYTES)
        with self._database.system() as connection:

            def take(tenant: str, wanted: int) -> list[Lease]:
                self._database.enter(connection, tenant)
                leases = statements.take(connection, tenant, queue, wanted, lease_ms=lease_ms, token=token)
                also(connection, tenant, leases)
                return leases

            taken, served = share(in_turn(tenants, self._served.get(queue, "")), limit, take)
        self._served[queue] = served
        return taken

    def fail(self, lease: Lease, error: str, retry_after_ms: int, *, counts: bool = True) -> bool:
        """Let a job be tried again after so long; False where the lease is another's by now.

        Args:
            lease: Which.
            error: Why, for operators.
            retry_after_ms: By the database's clock.
            counts: Whether it was an attempt; what fails for an outage is none.

        Raises:
            DatabaseAway: Nothing changed: the lease ends by itself.
        """
        ready = statements.DatabaseNow() + retry_after_ms
        values = {**_given_back(JobState.READY), "ready_at_ms": ready, "error": _short(error)}
        if not counts:
            values["attempts"] = jobs.c.attempts - 1
        with self._database.tenant(lease.tenant) as connection:
            return lease.job in _fenced([lease], lambda held: statements.write(connection, held, values))

    def give_back(self, leases: Sequence[Lease]) -> int:
        """Leave jobs that were not begun to others at once, as if nobody had tried; says how many were ours.

        Raises:
            DatabaseAway: Those that were not given back are free when their lease ends.
        """
        values = {
            **_given_back(JobState.READY),
            "ready_at_ms": statements.DatabaseNow(),
            "attempts": jobs.c.attempts - 1,
        }
        count = 0
        for tenant, group in groupby(sorted(leases, key=_tenant), key=_tenant):
            with self._database.tenant(tenant) as connection:
                ours = list(group)
                kept = _fenced(ours, lambda held: statements.write(connection, held, values))
                if kept:
                    notify(connection, JOBS, ours[0].queue.value)
                count += len(kept)
        return count

    def backlog(self, queue: Queue) -> list[Backlog]:
        """What waits, for each tenant that has a job.

        Raises:
            DatabaseAway: Nothing is known.
        """
        with self._database.system(read_only=True) as connection:
            _listing(connection, on=True)
            return statements.backlog(connection, queue)


def _listing(connection: Connection, *, on: bool) -> None:
    """PostgreSQL: the policy of `jobs` shows all rows of that table to a transaction that says so."""
    if connection.dialect.name == "postgresql":
        words = "jobs" if on else ""
        connection.execute(text("SELECT set_config('app.listing', :words, true)"), {"words": words})


def _fenced(leases: Sequence[Lease], work: Callable[[statements.Held], set[bytes]]) -> set[bytes]:
    """Do it for each token among these leases of one tenant and queue: mostly one."""
    done: set[bytes] = set()
    for (tenant, queue, token), group in groupby(sorted(leases, key=_holding), key=_holding):
        done |= work(statements.Held(tenant, queue, token, tuple(lease.job for lease in group)))
    return done


def _given_back(state: JobState) -> dict[str, object]:
    return {"state": state.value, "lease_token": None, "lease_until_ms": None}


def _tenant(lease: Lease) -> str:
    return lease.tenant


def _holding(lease: Lease) -> tuple[str, Queue, bytes]:
    return lease.tenant, lease.queue, lease.token


def _short(error: str) -> str:
    return " ".join(error.split())[: statements.ERROR_CHARACTERS]
