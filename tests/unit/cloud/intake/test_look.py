"""Looks over a bucket in memory and a database of its own."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from cloud.intake.arrivals import LATE_MS, Arrivals
from cloud.intake.look import Look
from cloud.intake.looking import EVENT_MS, Step
from cloud.intake.memory_intake_store import MemoryIntakeStore
from cloud.intake.values import CONTENT_TYPE, ObjectPlace, UploadState
from cloud.jobs.queue import JobQueue, enqueue, finish
from cloud.jobs.values import Queue
from cloud.objects.ports import ObjectsAway
from tests.builders.cloud_database import NOW_MS, add_tenants, sqlite_database
from tests.builders.intake import BODY, TICKET_MS, CountingWatch, UploadRow, clear, issue, row_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud.database.engine import Database
    from cloud.intake.intake_store import ObjectHead

A, B = "apfelstrudel", "brioche"
PLAINTEXT_S, EVERY_S = 120, 5.0


class Stage:
    """A bucket, a clock and whoever looks."""

    def __init__(self, database: Database, threads: ThreadPoolExecutor) -> None:
        self.database = database
        self.now_ms = NOW_MS
        self.watch = CountingWatch()
        self.store = Failing(lambda: self.now_ms)
        arrivals = Arrivals(database, self.store, self.watch, lambda: self.now_ms, PLAINTEXT_S)
        self.look = Look(
            database,
            self.store,
            arrivals,
            threads,
            lambda: self.now_ms,
            plaintext_s=PLAINTEXT_S,
            every_s=EVERY_S,
        ).look

    def put(self, place: ObjectPlace, body: bytes = BODY) -> None:
        assert self.store.put(place.key, body, CONTENT_TYPE)

    def keys(self) -> set[str]:
        return {one.key for one in self.store.listed()}


class Failing(MemoryIntakeStore):
    """Answers nothing about these keys."""

    away: frozenset[str] = frozenset()

    def head(self, key: str) -> ObjectHead | None:
        if key in self.away:
            raise ObjectsAway("the store is away")
        return super().head(key)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with sqlite_database(tmp_path_factory.mktemp("look")) as database:
        add_tenants(database, A, B)
        yield database


@pytest.fixture
def stage(database: Database) -> Iterator[Stage]:
    clear(database, A, B)
    with ThreadPoolExecutor(4) as threads:
        yield Stage(database, threads)


def test_an_upload_whose_event_was_lost_is_found(stage: Stage) -> None:
    """At the first look after an event ought to have come, for every chain."""
    places = [issue(stage.database, tenant) for tenant in (A, B, A)]
    for place in places:
        stage.put(place)
    assert stage.look().steps == {Step.LEAVE: 3}
    stage.now_ms += EVENT_MS
    assert stage.look().steps == {Step.TAKE_IN: 3}
    assert stage.watch.arrivals == {("look", "accepted"): 3}
    assert {row_of(stage.database, place).jobs for place in places} == {1}
    assert stage.look().steps == {Step.LEAVE: 3}


def test_what_nobody_looked_at_goes_in_time(stage: Stage) -> None:
    """No picture is there after `plaintext_s`: its job ends, its upload fails, and it is deleted (T26)."""
    place = issue(stage.database, A)
    stage.put(place)
    stage.now_ms += EVENT_MS
    stage.look()
    stage.now_ms = NOW_MS + int((PLAINTEXT_S - 2 * EVERY_S) * 1000)
    looked = stage.look()
    assert (looked.steps, looked.oldest_ms) == (Counter({Step.GIVE_UP: 1}), 110_000)
    assert stage.keys() == set()
    assert row_of(stage.database, place) == UploadRow(
        UploadState.FAILED, "picture-gone", deleted=True, jobs=0
    )


def test_a_worker_that_is_slower_than_the_sweeper_writes_nothing(stage: Stage) -> None:
    """Its lease ends nothing once the picture was swept away."""
    place = issue(stage.database, A, state=UploadState.ARRIVED)
    with stage.database.tenant(A) as connection:
        enqueue(connection, A, Queue.RECOMMEND, place.request, NOW_MS)
    stage.put(place)
    [lease] = JobQueue(stage.database).lease(Queue.RECOMMEND, 1, 60_000)
    stage.now_ms += PLAINTEXT_S * 1000
    stage.look()
    with stage.database.tenant(A) as connection:
        assert not finish(connection, lease)


def test_a_finished_upload_keeps_its_second_step(stage: Stage) -> None:
    """A promotion that is late loses the picture, and neither its state nor its job."""
    place = issue(stage.database, A, state=UploadState.DONE)
    with stage.database.tenant(A) as connection:
        enqueue(connection, A, Queue.RECOMMEND, place.request, NOW_MS)
    stage.put(place)
    stage.now_ms += PLAINTEXT_S * 1000
    assert stage.look().steps == {Step.GIVE_UP: 1}
    assert row_of(stage.database, place) == UploadRow(UploadState.DONE, None, deleted=True, jobs=1)


def test_replays_and_leftovers_are_deleted(stage: Stage) -> None:
    """Objects of used, ended and unknown tickets, of unknown chains, and under foreign keys (T21)."""
    live = issue(stage.database, A, state=UploadState.ARRIVED)
    for place in (
        live,
        issue(stage.database, A, state=UploadState.DONE, deleted_at_ms=NOW_MS),
        issue(stage.database, B, state=UploadState.EXPIRED),
        ObjectPlace(B, live.request),
        ObjectPlace("nobody", bytes(16)),
    ):
        stage.put(place)
    stage.store.put("probe/0011", b"x", "")
    stage.now_ms += 1000
    assert stage.look().steps == {Step.LEAVE: 2, Step.DELETE: 4}
    assert stage.keys() == {live.key, "probe/0011"}
    stage.now_ms += 60_000
    assert stage.look().steps == {Step.LEAVE: 1, Step.DELETE: 1}
    assert stage.keys() == {live.key}


def test_tickets_that_nobody_used_end(stage: Stage) -> None:
    """When no PUT that began in time can come any more; an object that comes even so is deleted (T21)."""
    place, used = issue(stage.database, A), issue(stage.database, A, state=UploadState.ARRIVED)
    stage.now_ms = NOW_MS + TICKET_MS + LATE_MS
    assert stage.look().expired == 0
    stage.now_ms += EVENT_MS
    assert stage.look().expired == 1
    assert row_of(stage.database, place).state is UploadState.EXPIRED
    assert row_of(stage.database, used).state is UploadState.ARRIVED
    stage.put(place)
    assert stage.look().steps == {Step.DELETE: 1}
    assert stage.keys() == set()


def test_a_failure_with_one_object_is_no_others(stage: Stage) -> None:
    """The others are taken in; the ticket of the one that failed does not end, and has its turn again."""
    failing, good = issue(stage.database, A), issue(stage.database, B)
    stage.put(failing)
    stage.put(good)
    stage.store.away = frozenset({failing.key})
    stage.now_ms = NOW_MS + TICKET_MS + LATE_MS + EVENT_MS
    looked = stage.look()
    assert [type(error) for error in looked.failed] == [ObjectsAway]
    assert (looked.steps, looked.expired) == ({Step.TAKE_IN: 1}, 0)
    assert row_of(stage.database, failing).state is UploadState.ISSUED
    stage.store.away = frozenset()
    stage.look()
    assert {row_of(stage.database, place).state for place in (failing, good)} == {UploadState.ARRIVED}


def test_the_sweeper_reads_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it does with an object, its bytes stay unread (T21)."""
    monkeypatch.setattr(stage.store, "get", None)
    stage.put(ObjectPlace(A, bytes(16)))
    stage.put(issue(stage.database, A))
    stage.now_ms += EVENT_MS
    assert stage.look().steps == {Step.DELETE: 1, Step.TAKE_IN: 1}
