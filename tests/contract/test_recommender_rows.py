"""One suite over the recommender's rows: on paper, in SQLite, in PostgreSQL with row-level security."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, insert, select, update

from cloud.database.schema import api_limits, jobs, recommendations, uploads
from cloud.intake.values import Purpose, UploadProblem, UploadState
from cloud.jobs.queue import enqueue
from cloud.jobs.values import Queue
from cloud.recommender.adapters.sql_rows import SqlRows
from cloud.recommender.values import Champion, Failed, Recommended, Shown, Ticket
from tests.builders.cloud_database import NOW_MS, add_tenants, postgres_service, sqlite_database
from tests.builders.paper_uploads import USER, PaperRows, some_ticket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud.database.engine import Database
    from cloud.jobs.values import Lease
    from cloud.recommender.ports import Rows
    from tests.builders.postgres import PostgresCluster, PostgresDatabase

A, B = "apfelstrudel", "brioche"
DAY_MS = 86_400_000
CHAMPION = Champion(A, 3, "2026.11.1", "d" * 64, "targets/releases/3/d.model.onnx", 1000)
SLATE = (Shown("mint", "Mint", 0.5), Shown("lemon", "Lemon", 0.25), Shown("mango", "Mango", 0.125))


class Stage:
    """Rows, and what stands behind them."""

    def __init__(self, rows: Rows, database: Database | None) -> None:
        self.rows = rows
        self.database = database
        self.known: dict[bytes, Ticket] = {}

    def arrived(self, request: bytes, tenant: str = A, **changes: Any) -> None:
        """An upload whose ticket was consumed."""
        ticket = some_ticket(tenant, request, b"picture", arrived_at_ms=NOW_MS, **changes)
        if self.database is None:
            assert isinstance(self.rows, PaperRows)
            self.rows.uploads[tenant, request] = ticket
            self.rows.arrive(tenant, request)
            return
        with self.database.tenant(tenant) as connection:
            connection.execute(insert(uploads).values(row_of(ticket) | {"state": UploadState.ARRIVED.value}))
            enqueue(connection, tenant, Queue.RECOMMEND, request, NOW_MS)

    def state(self, request: bytes, tenant: str = A) -> UploadState:
        if self.database is None:
            assert isinstance(self.rows, PaperRows)
            return self.rows.uploads[tenant, request].state
        statement = select(uploads.c.state).where(uploads.c.tenant == tenant, uploads.c.request == request)
        with self.database.tenant(tenant, read_only=True) as connection:
            return UploadState(connection.execute(statement).scalar_one())

    def erase(self, request: bytes, tenant: str = A) -> None:
        """Its owner takes the upload back."""
        if self.database is None:
            assert isinstance(self.rows, PaperRows)
            assert self.rows.end((tenant, request), UploadState.ERASED)
            return
        with self.database.tenant(tenant) as connection:
            connection.execute(
                update(uploads)
                .where(uploads.c.tenant == tenant, uploads.c.request == request)
                .values(state=UploadState.ERASED.value)
            )

    def end_leases(self, tenant: str = A) -> None:
        """Their time is over."""
        if self.database is None:
            assert isinstance(self.rows, PaperRows)
            for job in self.rows.jobs.values():
                job.ready_at_ms = min(job.ready_at_ms, 1)
            return
        with self.database.tenant(tenant) as connection:
            connection.execute(update(jobs).where(jobs.c.tenant == tenant).values(ready_at_ms=1))


def row_of(ticket: Ticket) -> dict[str, Any]:
    return {
        "tenant": ticket.tenant,
        "request": ticket.request,
        "user": ticket.user,
        "state": ticket.state.value,
        "purpose": ticket.purpose.value,
        "content_type": "image/jpeg",
        "content_length": ticket.content_length,
        "sha256": ticket.sha256,
        "object_key": ticket.object_key,
        "context": dict(ticket.context),
        "issued_at_ms": NOW_MS,
        "expires_at_ms": NOW_MS + 60_000,
        "arrived_at_ms": ticket.arrived_at_ms,
        "consent": ticket.consent,
    }


@pytest.fixture(
    scope="module", params=["paper", "sqlite", pytest.param("postgres", marks=pytest.mark.service)]
)
def tables(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database | None]:
    if request.param == "paper":
        yield None
        return
    if request.param == "sqlite":
        with sqlite_database(tmp_path_factory.mktemp("rows")) as database:
            add_tenants(database, A, B)
            yield database
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
    with cluster.fresh_database() as fresh, postgres_service(fresh) as database:
        add_tenants(database, A, B)
        yield database


@pytest.fixture
def stage(tables: Database | None) -> Stage:
    if tables is None:
        return Stage(PaperRows(lambda: NOW_MS, 15_000), None)
    for tenant in (A, B):
        with tables.tenant(tenant) as connection:
            for table in (jobs, uploads, recommendations, api_limits):
                connection.execute(delete(table).where(table.c.tenant == tenant))
    return Stage(SqlRows(tables, lease_ms=15_000, keep_days=30), tables)


def ids(count: int) -> list[bytes]:
    return [number.to_bytes(16) for number in range(1, count + 1)]


def take(stage: Stage) -> list[Lease]:
    leased = stage.rows.lease(100)
    stage.known |= {one.lease.job: one.ticket for one in leased if one.ticket is not None}
    return [one.lease for one in leased]


def recommended(stage: Stage, lease: Lease) -> Recommended:
    return Recommended(stage.known[lease.job], "model", SLATE, CHAMPION, 0.01, 0.2)


def failed(stage: Stage, lease: Lease) -> Failed:
    ticket = stage.known[lease.job]
    return Failed(ticket, UploadProblem.BAD_PICTURE, "the JPEG is damaged inside", "undecodable")


def test_endings_of_a_batch_are_written_with_their_jobs_end(stage: Stage) -> None:
    one, two, three = ids(3)
    for request in (one, two, three):
        stage.arrived(request)
    first, second, third = take(stage)
    endings = [(first, recommended(stage, first)), (second, failed(stage, second))]
    assert stage.rows.write(A, endings, NOW_MS + 40) == {one, two}
    assert [stage.state(request) for request in (one, two, three)] == [
        UploadState.DONE,
        UploadState.FAILED,
        UploadState.ARRIVED,
    ]
    stage.end_leases()
    assert [lease.job for lease in take(stage)] == [third.job]


def test_who_lost_its_lease_writes_nothing(stage: Stage) -> None:
    """Two workers over one upload: exactly one result, of the one that holds the lease."""
    (request,) = ids(1)
    stage.arrived(request)
    (slow,) = take(stage)
    stage.end_leases()
    (fast,) = take(stage)
    assert stage.rows.write(A, [(slow, failed(stage, slow))], NOW_MS) == set()
    assert stage.state(request) is UploadState.ARRIVED
    assert stage.rows.write(A, [(fast, recommended(stage, fast))], NOW_MS) == {request}
    assert stage.rows.write(A, [(slow, failed(stage, slow))], NOW_MS) == set()
    assert stage.state(request) is UploadState.DONE


def test_what_was_taken_back_gets_no_recommendation(stage: Stage) -> None:
    (request,) = ids(1)
    stage.arrived(request)
    (lease,) = take(stage)
    ending = recommended(stage, lease)
    stage.erase(request)
    assert stage.rows.write(A, [(lease, ending)], NOW_MS) == set()
    assert stage.state(request) is UploadState.ERASED


def test_a_kept_pictures_job_goes_on_until_it_is_finished(stage: Stage) -> None:
    """The recommendation is durable first; the second step counts its own attempts."""
    (request,) = ids(1)
    stage.arrived(request, purpose=Purpose.RECOMMEND_AND_IMPROVE, consent={"language": "de"})
    (lease,) = take(stage)
    assert stage.rows.write(A, [(lease, recommended(stage, lease))], NOW_MS) == {request}
    assert stage.state(request) is UploadState.DONE
    assert take(stage) == []
    stage.end_leases()
    (again,) = take(stage)
    assert again.attempt == 2
    stage.rows.finish([again])
    stage.end_leases()
    assert take(stage) == []


def test_giving_up_ends_the_upload_and_keeps_the_job_for_operators(stage: Stage) -> None:
    (request,) = ids(1)
    stage.arrived(request)
    (lease,) = take(stage)
    stage.rows.give_up(lease, "ValueError: no", NOW_MS)
    assert stage.state(request) is UploadState.FAILED


def test_giving_up_on_a_second_step_leaves_the_recommendation(stage: Stage) -> None:
    (request,) = ids(1)
    stage.arrived(request, purpose=Purpose.RECOMMEND_AND_IMPROVE, consent={})
    (lease,) = take(stage)
    stage.rows.write(A, [(lease, recommended(stage, lease))], NOW_MS)
    stage.rows.give_up(lease, "no blanks", NOW_MS)
    assert stage.state(request) is UploadState.DONE


def test_a_retry_counts_only_where_it_is_said(stage: Stage) -> None:
    (request,) = ids(1)
    stage.arrived(request)
    stage.rows.retry(take(stage)[0], "away", 0, counts=False)
    (lease,) = take(stage)
    assert lease.attempt == 1
    stage.rows.retry(lease, "broken", 0, counts=True)
    assert take(stage)[0].attempt == 2


def test_what_is_given_back_is_nobodys_attempt(stage: Stage) -> None:
    (request,) = ids(1)
    stage.arrived(request)
    stage.rows.give_back(take(stage))
    assert take(stage)[0].attempt == 1


def test_a_deleted_picture_is_noted(stage: Stage) -> None:
    (request,) = ids(1)
    stage.arrived(request)
    stage.rows.deleted(A, [request, b"gone, with its row"[:16]], NOW_MS)
    (leased,) = stage.rows.lease(9)
    assert leased.ticket is not None
    assert leased.ticket.deleted


def test_the_same_id_at_two_tenants_is_two_uploads(stage: Stage) -> None:
    """T27: each job comes with the upload of its own chain, and ends that alone."""
    (request,) = ids(1)
    stage.arrived(request, tenant=A, context={"hour": 1})
    stage.arrived(request, tenant=B, context={"hour": 2})
    first, second = stage.rows.lease(9)
    assert first.ticket is not None
    assert second.ticket is not None
    assert [(one.tenant, dict(one.context)) for one in (first.ticket, second.ticket)] == [
        (A, {"hour": 1}),
        (B, {"hour": 2}),
    ]
    ending = Recommended(first.ticket, "model", SLATE, CHAMPION, 0.01, 0.2)
    assert stage.rows.write(A, [(first.lease, ending)], NOW_MS) == {request}
    assert stage.state(request, B) is UploadState.ARRIVED


@pytest.mark.service
def test_a_recommendation_says_where_it_comes_from(postgres_database: PostgresDatabase) -> None:
    """Model, release, picture's digest, latency from arrival, and how long the chain keeps it."""
    (request,) = ids(1)
    with postgres_service(postgres_database) as database:
        add_tenants(database, A)
        stage = Stage(SqlRows(database, lease_ms=15_000, keep_days=30), database)
        stage.arrived(request)
        with database.tenant(A) as connection:
            connection.execute(
                insert(api_limits).values(
                    tenant=A,
                    uploads_per_day=1,
                    uploads_per_minute=1,
                    requests_per_minute=1,
                    recommendation_days=7,
                )
            )
        (lease,) = take(stage)
        stage.rows.write(A, [(lease, recommended(stage, lease))], NOW_MS + 40)
        with database.tenant(A, read_only=True) as connection:
            row = connection.execute(select(recommendations).where(recommendations.c.tenant == A)).one()
    assert (row.request, row.user, row.source, row.release) == (request, USER, "model", 3)
    assert (row.model_digest, row.model_version) == ("d" * 64, "2026.11.1")
    assert row.slate[0] == {"flavour": "mint", "name": "Mint", "probability": 0.5}
    assert (row.latency_ms, row.created_at_ms) == (40, NOW_MS + 40)
    assert row.expires_at_ms == NOW_MS + 40 + 7 * DAY_MS
    assert row.outcome is None
