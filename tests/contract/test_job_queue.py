"""One suite over the queue on SQLite and on PostgreSQL with row-level security."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import delete, select, update

from cloud.database.engine import open_database
from cloud.database.schema import jobs
from cloud.jobs.queue import JobQueue, bury, enqueue, finish, finish_all, next_step
from cloud.jobs.statements import NEVER_MS
from cloud.jobs.values import JobState, Lease, Queue
from tests.builders.cloud_database import NOW_MS, add_tenants, postgres_service, sqlite_database
from tests.builders.postgres import libpq_url
from tests.builders.query_plans import rows_thrown_away

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud.database.engine import Database
    from tests.builders.postgres import PostgresCluster, PostgresDatabase

A, B, C = "apfelstrudel", "brioche", "cannoli"
LEASE_MS = 60_000


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def tables(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Made once: a migration takes longer than all that a test does here."""
    if request.param == "sqlite":
        with sqlite_database(tmp_path_factory.mktemp("queue")) as database:
            add_tenants(database, A, B, C)
            yield database
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
    with cluster.fresh_database() as fresh, postgres_service(fresh) as database:
        add_tenants(database, A, B, C)
        yield database


@pytest.fixture
def database(tables: Database) -> Database:
    for tenant in (A, B, C):
        with tables.tenant(tenant) as connection:
            connection.execute(delete(jobs).where(jobs.c.tenant == tenant))
    return tables


@pytest.fixture
def queue(database: Database) -> JobQueue:
    return JobQueue(database)


def ids(count: int, first: int = 1) -> list[bytes]:
    return [number.to_bytes(16) for number in range(first, first + count)]


def put(database: Database, tenant: str, *names: bytes) -> None:
    with database.tenant(tenant) as connection:
        for name in names:
            assert enqueue(connection, tenant, Queue.RECOMMEND, name, NOW_MS)


def take(queue: JobQueue, limit: int = 100) -> list[Lease]:
    return queue.lease(Queue.RECOMMEND, limit, LEASE_MS)


def end_leases(database: Database, *tenants: str) -> None:
    """Their time is over: what the database's clock would bring about in a minute."""
    for tenant in tenants:
        with database.tenant(tenant) as connection:
            connection.execute(
                update(jobs).where(jobs.c.tenant == tenant).values(ready_at_ms=1, lease_until_ms=1)
            )


def test_a_job_is_leased_once_and_finished_with_its_result(database: Database, queue: JobQueue) -> None:
    put(database, A, *ids(1))
    (lease,) = take(queue)
    assert (lease.tenant, lease.job, lease.attempt, lease.enqueued_at_ms) == (A, ids(1)[0], 1, NOW_MS)
    assert take(queue) == []
    with database.tenant(A) as connection:
        assert finish(connection, lease)
    with database.tenant(A) as connection:
        assert not finish(connection, lease)
        assert connection.execute(select(jobs).where(jobs.c.tenant == A)).all() == []


def test_a_job_is_there_once_however_often_its_event_comes(database: Database, queue: JobQueue) -> None:
    put(database, A, *ids(1))
    with database.tenant(A) as connection:
        assert not enqueue(connection, A, Queue.RECOMMEND, ids(1)[0], NOW_MS + 1)
    (lease,) = take(queue)
    with database.tenant(A) as connection:
        assert not enqueue(connection, A, Queue.RECOMMEND, lease.job, NOW_MS + 2)
    assert take(queue) == []


def test_a_rolled_back_transaction_leaves_no_job(database: Database, queue: JobQueue) -> None:
    with contextlib.suppress(ZeroDivisionError), database.tenant(A) as connection:
        assert enqueue(connection, A, Queue.RECOMMEND, ids(1)[0], NOW_MS)
        raise ZeroDivisionError
    assert take(queue) == []


def test_who_lost_its_lease_ends_nothing(database: Database, queue: JobQueue) -> None:
    """Fencing: after a takeover the first holder's finish, failure, burial and return change nothing."""
    put(database, A, *ids(1))
    (slow,) = take(queue)
    end_leases(database, A)
    (fast,) = take(JobQueue(database))
    assert fast.attempt == 2
    assert fast.token != slow.token
    with database.tenant(A) as connection:
        assert not finish(connection, slow)
        assert not bury(connection, slow, "too late")
        assert next_step(connection, [slow], LEASE_MS) == set()
    assert not queue.fail(slow, "too late", 0)
    assert queue.give_back([slow]) == 0
    assert take(queue) == []
    with database.tenant(A) as connection:
        assert finish(connection, fast)


def test_a_rolled_back_result_leaves_the_job(database: Database, queue: JobQueue) -> None:
    put(database, A, *ids(1))
    (lease,) = take(queue)
    with contextlib.suppress(ZeroDivisionError), database.tenant(A) as connection:
        assert finish(connection, lease)
        raise ZeroDivisionError
    with database.tenant(A) as connection:
        assert finish(connection, lease)


def test_a_failed_job_waits_out_its_back_off(database: Database, queue: JobQueue) -> None:
    put(database, A, *ids(2))
    first, second = take(queue)
    assert queue.fail(first, "the store\n is away", 3_600_000)
    assert queue.fail(second, "the store is away", 0)
    (again,) = take(queue)
    assert (again.job, again.attempt) == (second.job, 2)
    with database.tenant(A) as connection:
        row = connection.execute(select(jobs).where(jobs.c.tenant == A, jobs.c.job == first.job)).one()
    assert (row.state, row.error, row.lease_token) == (JobState.READY, "the store is away", None)


def test_what_was_set_aside_is_never_leased(database: Database, queue: JobQueue) -> None:
    """T19: a poison job stands aside, and the others flow."""
    put(database, A, *ids(2))
    poison, good = take(queue)
    with database.tenant(A) as connection:
        assert bury(connection, poison, "x" * 9_000)
    assert queue.fail(good, "", 0)
    assert [lease.job for lease in take(queue)] == [good.job]
    with database.tenant(A) as connection:
        row = connection.execute(select(jobs).where(jobs.c.tenant == A, jobs.c.job == poison.job)).one()
    assert (row.state, len(row.error)) == (JobState.DEAD, 500)


def test_an_outage_is_no_attempt(database: Database, queue: JobQueue) -> None:
    put(database, A, *ids(1))
    assert queue.fail(take(queue)[0], "the store is away", 0, counts=False)
    assert take(queue)[0].attempt == 1


def test_the_backlog_tells_tenants_apart(database: Database, queue: JobQueue) -> None:
    put(database, A, *ids(3))
    put(database, B, *ids(1))
    lease = next(lease for lease in take(queue, 2) if lease.tenant == A)
    with database.tenant(A) as connection:
        assert bury(connection, lease, "poison")
    first, second = queue.backlog(Queue.RECOMMEND)
    assert (first.tenant, first.waiting, first.dead) == (A, 2, 1)
    assert (second.tenant, second.waiting, second.dead) == (B, 1, 0)
    assert first.oldest_ms > 0


def test_what_is_given_back_is_as_if_nobody_had_tried(database: Database, queue: JobQueue) -> None:
    put(database, A, *ids(2))
    put(database, B, *ids(1))
    assert queue.give_back(take(queue)) == 3
    assert [(lease.tenant, lease.attempt) for lease in take(queue)] == [(A, 1), (A, 1), (B, 1)]


def test_a_second_step_counts_its_own_attempts(database: Database, queue: JobQueue) -> None:
    put(database, A, *ids(1))
    take(queue)
    end_leases(database, A)
    (second,) = take(queue)
    with database.tenant(A) as connection:
        assert next_step(connection, [second], LEASE_MS) == {second.job}
    assert take(queue) == []
    end_leases(database, A)
    (later,) = take(queue)
    assert later.attempt == 2


def test_tenants_take_turns(database: Database, queue: JobQueue) -> None:
    """T27: a flood of one tenant delays no other: each has its share of every batch."""
    put(database, A, *ids(50))
    put(database, B, *ids(2))
    put(database, C, *ids(1))
    counts = Counter(lease.tenant for lease in take(queue, 9))
    assert counts == {A: 6, B: 2, C: 1}


def test_tenants_take_turns_where_a_batch_is_smaller_than_they_are_many(
    database: Database, queue: JobQueue
) -> None:
    """T27: with room for one job a time, three tenants are served one after the other."""
    for tenant in (A, B, C):
        put(database, tenant, *ids(5))
    assert [take(queue, 1)[0].tenant for _ in range(6)] == [A, B, C, A, B, C]


def test_finishing_says_which_of_a_batch_were_ours(database: Database, queue: JobQueue) -> None:
    put(database, A, *ids(3))
    leases = take(queue)
    with database.tenant(A) as connection:
        connection.execute(
            update(jobs).where(jobs.c.tenant == A, jobs.c.job == ids(3)[1]).values(lease_token=b"another's")
        )
        assert finish_all(connection, leases) == {ids(3)[0], ids(3)[2]}


@pytest.mark.service
def test_no_wake_up_is_lost_or_early(postgres_database: PostgresDatabase) -> None:
    """Whoever listens hears of a job when it can be leased: at the commit, and never of one rolled back."""
    with postgres_service(postgres_database) as database:
        add_tenants(database, A)
        url = libpq_url(database.url.render_as_string(hide_password=False))
        with psycopg.connect(url, autocommit=True) as listener:
            listener.execute("LISTEN topscoop_jobs")
            with contextlib.suppress(ZeroDivisionError), database.tenant(A) as connection:
                assert enqueue(connection, A, Queue.RECOMMEND, ids(1)[0], NOW_MS)
                raise ZeroDivisionError
            with database.tenant(A) as connection:
                assert enqueue(connection, A, Queue.RECOMMEND, ids(2)[1], NOW_MS)
                assert list(listener.notifies(timeout=0)) == []
            heard = [one.payload for one in listener.notifies(timeout=60, stop_after=1)]
            assert heard == [Queue.RECOMMEND]
            (lease,) = take(JobQueue(database))
            JobQueue(database).give_back([lease])
            assert [one.payload for one in listener.notifies(timeout=60, stop_after=1)] == heard


def test_eight_at_once_never_share_a_job(database: Database) -> None:
    """Each of 200 jobs is leased by exactly one of eight workers, and all are leased."""
    put(database, A, *ids(120))
    put(database, B, *ids(80))
    url = database.url.render_as_string(hide_password=False)
    begin = threading.Barrier(8)

    def work() -> list[Lease]:
        with open_database(url) as own:
            queue, mine = JobQueue(own), []
            begin.wait()
            while taken := take(queue, 7):
                mine.extend(taken)
            return mine

    with ThreadPoolExecutor(8) as workers:
        taken = [lease for future in [workers.submit(work) for _ in range(8)] for lease in future.result()]
    # A worker whose every row was locked by others saw nothing and left; those others went on.
    seen = Counter((lease.tenant, lease.job) for lease in taken)
    assert set(seen.values()) == {1}
    assert len(seen) == 200


def test_another_tenants_jobs_can_be_seen_but_not_touched(database: Database, queue: JobQueue) -> None:
    """T27: whoever holds a lease of one tenant ends no job of another, though ids be equal."""
    put(database, A, *ids(1))
    put(database, B, *ids(1))
    mine, theirs = take(queue)
    forged = Lease(B, mine.queue, mine.job, b"guess", 1, NOW_MS, NOW_MS)
    with database.tenant(B) as connection:
        assert not finish(connection, forged)
        assert finish(connection, theirs)
    with database.tenant(A) as connection:
        assert finish(connection, mine)


def test_a_poll_reads_no_job_that_cannot_be_taken(database: Database, queue: JobQueue) -> None:
    """T27: thousands that were set aside, leased or wait for their back-off cost the next poll nothing."""
    if database.is_sqlite:
        pytest.skip("what PostgreSQL's planner makes of it")
    later = [
        {
            "tenant": A,
            "job": job,
            "queue": Queue.RECOMMEND.value,
            "state": JobState.DEAD.value,
            "attempts": 3,
            "enqueued_at_ms": NOW_MS,
            "ready_at_ms": NEVER_MS,
        }
        for job in ids(3000)
    ]
    with database.tenant(A) as connection:
        connection.execute(jobs.insert(), later)
    put(database, A, *ids(1, first=5000))
    leases: list[Lease] = []
    thrown_away = rows_thrown_away(database, A, "jobs", lambda: leases.extend(take(queue)))
    assert [lease.job for lease in leases] == ids(1, first=5000)
    assert thrown_away < 10
