"""Arrivals on SQLite and on PostgreSQL with row-level security: a ticket is consumed once (T21)."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from cloud.database.notifications import ANSWERS
from cloud.intake.adapters import tickets
from cloud.intake.arrivals import LATE_MS, Arrivals, Arrived, Source, arrive
from cloud.intake.intake_store import ObjectHead
from cloud.intake.memory_intake_store import MemoryIntakeStore
from cloud.intake.values import CONTENT_TYPE, ObjectPlace, UploadProblem, UploadState
from cloud.public_api.adapters.postgres_wakeups import parse
from tests.builders.cloud_database import NOW_MS, add_tenants, postgres_service, sqlite_database
from tests.builders.intake import BODY, TICKET_MS, CountingWatch, UploadRow, clear, issue, row_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud.database.engine import Database
    from tests.builders.postgres import PostgresCluster

A, B = "apfelstrudel", "brioche"
PLAINTEXT_S = 120


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Made once; each test issues tickets of its own."""
    if request.param == "sqlite":
        with sqlite_database(tmp_path_factory.mktemp("arrivals")) as sqlite:
            add_tenants(sqlite, A, B)
            yield sqlite
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
    with cluster.fresh_database() as fresh, postgres_service(fresh) as postgres:
        add_tenants(postgres, A, B)
        yield postgres


def seen(size: int = len(BODY), content_type: str = CONTENT_TYPE, age_ms: int = 500) -> ObjectHead:
    return ObjectHead(size, content_type, age_ms)


def come(database: Database, place: ObjectPlace, head: ObjectHead, now_ms: int = NOW_MS + 1000) -> Arrived:
    return arrive(database, place, head, now_ms, plaintext_s=PLAINTEXT_S)


def test_one_arrival_makes_one_job(database: Database) -> None:
    """The second time, and the hundredth, nothing changes."""
    place = issue(database, A)
    assert come(database, place, seen()) is Arrived.ACCEPTED
    assert {come(database, place, seen()) for _ in range(5)} == {Arrived.KNOWN}
    assert row_of(database, place) == UploadRow(UploadState.ARRIVED, None, deleted=False, jobs=1)


def test_of_many_at_once_one_is_accepted(database: Database) -> None:
    """Sixteen sources tell of the same object at the same time: one consumes the ticket (T21)."""
    place = issue(database, A)
    with ThreadPoolExecutor(16) as threads:
        results = Counter(threads.map(lambda _: come(database, place, seen()), range(16)))
    assert results == {Arrived.ACCEPTED: 1, Arrived.KNOWN: 15}
    assert row_of(database, place).jobs == 1


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        (seen(size=len(BODY) + 1), "wrong-length"),
        (seen(size=0), "wrong-length"),
        (seen(content_type="image/png"), "wrong-type"),
        (seen(content_type=""), "wrong-type"),
    ],
)
def test_another_object_than_announced_fails(database: Database, head: ObjectHead, problem: str) -> None:
    """Length and type are compared before anything is read; the ticket is used up (T21)."""
    place = issue(database, A)
    assert come(database, place, head) is Arrived.REFUSED
    assert row_of(database, place) == UploadRow(UploadState.FAILED, problem, deleted=False, jobs=0)


def test_late_is_by_when_it_was_put(database: Database) -> None:
    """An event that comes late is taken; an object that was put when its URL was over is not (T21)."""
    on_time, late = issue(database, A), issue(database, A)
    heard_at = NOW_MS + TICKET_MS + LATE_MS + 30_000
    assert come(database, on_time, seen(age_ms=31_000), heard_at) is Arrived.ACCEPTED
    assert come(database, late, seen(age_ms=29_000), heard_at) is Arrived.LATE
    assert row_of(database, late).state is UploadState.EXPIRED


def test_what_lay_too_long_is_not_taken(database: Database) -> None:
    """No picture is looked at that ought to be gone; its upload fails, and says so (T26)."""
    place = issue(database, A)
    heard_at = NOW_MS + PLAINTEXT_S * 1000 + 5000
    assert come(database, place, seen(age_ms=PLAINTEXT_S * 1000 + 1), heard_at) is Arrived.LATE
    assert row_of(database, place) == UploadRow(UploadState.FAILED, "picture-gone", deleted=False, jobs=0)


@pytest.mark.parametrize("state", [UploadState.EXPIRED, UploadState.ERASED])
def test_an_ended_ticket_takes_nothing(database: Database, state: UploadState) -> None:
    """Nor does one that never was, one of another chain, or one whose object was deleted (T21)."""
    ended = issue(database, A, state=state)
    used = issue(database, A, state=UploadState.DONE, deleted_at_ms=NOW_MS)
    for place in (
        ended,
        used,
        ObjectPlace(A, bytes(16)),
        ObjectPlace(B, used.request),
        ObjectPlace("nobody", bytes(16)),
    ):
        assert come(database, place, seen()) is Arrived.UNWANTED
    assert row_of(database, ended).state is state


def test_an_object_without_a_live_ticket_is_deleted_unread(database: Database) -> None:
    """A second object under a used key goes, is counted, and changes nothing else (T21)."""
    store, watch = MemoryIntakeStore(lambda: NOW_MS), CountingWatch()
    arrivals = Arrivals(database, store, watch, lambda: NOW_MS + 1000, PLAINTEXT_S)
    used = issue(database, A, state=UploadState.DONE, deleted_at_ms=NOW_MS)
    store.put(used.key, b"another picture", CONTENT_TYPE)
    assert arrivals.heard(used, Source.WEBHOOK) is Arrived.UNWANTED
    assert list(store.listed()) == []
    assert watch.arrivals == {("webhook", "unwanted"): 1}
    assert row_of(database, used).state is UploadState.DONE


def test_a_refused_object_is_deleted(database: Database) -> None:
    """And the row says that it is gone."""
    store = MemoryIntakeStore(lambda: NOW_MS)
    arrivals = Arrivals(database, store, CountingWatch(), lambda: NOW_MS + 1000, PLAINTEXT_S)
    place = issue(database, A)
    store.put(place.key, BODY + b"!", CONTENT_TYPE)
    assert arrivals.heard(place, Source.SQS) is Arrived.REFUSED
    assert list(store.listed()) == []
    assert row_of(database, place).deleted


def test_what_a_worker_still_uses_stays(database: Database) -> None:
    """An event that comes twice takes no picture away from the recommender, nor from a promotion."""
    store = MemoryIntakeStore(lambda: NOW_MS)
    arrivals = Arrivals(database, store, CountingWatch(), lambda: NOW_MS + 1000, PLAINTEXT_S)
    for state in (UploadState.ARRIVED, UploadState.DONE):
        place = issue(database, A, state=state)
        store.put(place.key, BODY, CONTENT_TYPE)
        assert arrivals.heard(place, Source.SQS) is Arrived.KNOWN
        assert store.head(place.key) is not None


def test_an_object_that_was_tidied_meanwhile_is_no_intruder(database: Database) -> None:
    """A worker was done between the question to the store and that to the database: known, no more."""
    place = issue(database, A, state=UploadState.DONE, deleted_at_ms=NOW_MS)

    class Tidied(MemoryIntakeStore):
        def head(self, key: str) -> ObjectHead | None:
            found = super().head(key)
            self.delete(key)
            return found

    store = Tidied(lambda: NOW_MS)
    store.put(place.key, BODY, CONTENT_TYPE)
    arrivals = Arrivals(database, store, CountingWatch(), lambda: NOW_MS + 1000, PLAINTEXT_S)
    assert arrivals.heard(place, Source.SQS) is Arrived.KNOWN


def test_an_event_without_an_object_changes_nothing(database: Database) -> None:
    """Told too early, or a lie: the ticket stays as it is."""
    place = issue(database, A)
    arrivals = Arrivals(
        database, MemoryIntakeStore(lambda: NOW_MS), CountingWatch(), lambda: NOW_MS, PLAINTEXT_S
    )
    assert arrivals.heard(place, Source.WEBHOOK) is Arrived.NOTHING
    assert row_of(database, place).state is UploadState.ISSUED


def test_tickets_expire_in_batches(database: Database) -> None:
    """Of one chain, the oldest first, and only those that nobody used."""
    clear(database, A, B)
    issued = [issue(database, A, now_ms=NOW_MS + number) for number in range(3)]
    used, other = issue(database, A, state=UploadState.ARRIVED), issue(database, B)
    with database.tenant(A) as connection:
        first = tickets.expire(connection, A, NOW_MS + TICKET_MS + 2, NOW_MS, 2)
        assert set(first) == {place.request for place in issued[:2]}
        assert tickets.expire(connection, A, NOW_MS + TICKET_MS + 1, NOW_MS, 2) == []
    states = [row_of(database, place).state for place in (*issued, used, other)]
    assert states == [UploadState.EXPIRED] * 2 + [
        UploadState.ISSUED,
        UploadState.ARRIVED,
        UploadState.ISSUED,
    ]


def test_an_upload_is_given_up_once(database: Database) -> None:
    """Its job goes with it; what ended before stays as it is."""
    place = issue(database, A)
    assert come(database, place, seen()) is Arrived.ACCEPTED
    for expected in (True, False):
        with database.tenant(A) as connection:
            tickets.drop_job(connection, place)
            failed = (UploadState.FAILED, UploadProblem.PICTURE_GONE)
            assert tickets.end(connection, place, *failed, NOW_MS) is expected
            tickets.note_deleted(connection, place, NOW_MS)
    assert row_of(database, place) == UploadRow(UploadState.FAILED, "picture-gone", deleted=True, jobs=0)


@pytest.mark.service
def test_who_waits_is_woken(postgres_cluster: PostgresCluster) -> None:
    """On PostgreSQL each state of an upload is told, in the form that the public API reads."""
    with postgres_cluster.fresh_database() as fresh, postgres_service(fresh) as database:
        add_tenants(database, A)
        place = issue(database, A)
        url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as listening:
            listening.execute(sql.SQL("LISTEN {}").format(sql.Identifier(ANSWERS)))
            come(database, place, seen(size=1))
            told = [parse(one.payload) for one in listening.notifies(timeout=30, stop_after=2)]
    upload = (A, place.request)
    assert told == [(upload, UploadState.ARRIVED), (upload, UploadState.FAILED)]
