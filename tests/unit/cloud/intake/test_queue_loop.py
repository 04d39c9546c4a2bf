"""Events from a queue in memory that hands a message out again until it is deleted."""

from __future__ import annotations

import asyncio
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import orjson
import pytest

from cloud.intake.arrivals import Arrivals
from cloud.intake.event_queue import QueueAway, QueueMessage
from cloud.intake.hearing import Hearing
from cloud.intake.memory_intake_store import MemoryIntakeStore
from cloud.intake.queue_loop import take_from_queue
from cloud.intake.values import CONTENT_TYPE, ObjectPlace, UploadState
from cloud.objects.ports import ObjectsAway
from tests.builders.cloud_database import NOW_MS, add_tenants, sqlite_database
from tests.builders.intake import BODY, CountingWatch, issue, row_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from cloud.database.engine import Database
    from cloud.intake.intake_store import ObjectHead

A, B, BUCKET = "apfelstrudel", "brioche", "topscoop-intake"
WITHIN_S = 30


class MemoryQueue:
    """Shuffles, and forgets nothing that was not deleted."""

    def __init__(self, *bodies: bytes) -> None:
        self.kept = {str(number): body for number, body in enumerate(bodies)}
        self.failures = 0
        self.empty = threading.Event()
        self._random = random.Random(5)

    def receive(self) -> Sequence[QueueMessage]:
        if self.failures:
            self.failures -= 1
            raise QueueAway("the queue is away")
        chosen = self._random.sample(sorted(self.kept.items()), min(10, len(self.kept)))
        return [QueueMessage(handle, body) for handle, body in chosen]

    def delete(self, handles: Sequence[str]) -> None:
        for handle in handles:
            self.kept.pop(handle, None)
        if not self.kept:
            self.empty.set()


class Shaky(MemoryIntakeStore):
    """Is away at first."""

    failures = 0

    def head(self, key: str) -> ObjectHead | None:
        if self.failures:
            self.failures -= 1
            raise ObjectsAway("the store is away")
        return super().head(key)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with sqlite_database(tmp_path) as database:
        add_tenants(database, A, B)
        yield database


def event(*places: ObjectPlace) -> bytes:
    return orjson.dumps(
        {
            "Records": [
                {
                    "eventName": "ObjectCreated:Put",
                    "s3": {"bucket": {"name": BUCKET}, "object": {"key": one.key}},
                }
                for one in places
            ]
        }
    )


@asynccontextmanager
async def taking(database: Database, queue: MemoryQueue, store: Shaky) -> AsyncIterator[CountingWatch]:
    watch = CountingWatch()
    with ThreadPoolExecutor(4) as threads:
        hearing = Hearing(Arrivals(database, store, watch, lambda: NOW_MS, 120), threads)
        task = asyncio.create_task(take_from_queue(queue, BUCKET, hearing, watch, pause_s=0))
        try:
            yield watch
        finally:
            task.cancel()
            await asyncio.wait([task])


async def until_empty(queue: MemoryQueue) -> None:
    assert await asyncio.to_thread(queue.empty.wait, WITHIN_S)


async def test_doubled_shuffled_and_broken_events(database: Database) -> None:
    """Of chains at once, some told twice, in any order, between garbage and test events: one job each."""
    store = Shaky(lambda: NOW_MS)
    places = [issue(database, tenant) for tenant in (A, B) for _ in range(6)]
    for place in places:
        store.put(place.key, BODY, CONTENT_TYPE)
    junk = (
        b"{",
        b'{"Event": "s3:TestEvent"}',
        b'{"Records": [null]}',
        event(ObjectPlace("nobody", bytes(16))),
    )
    queue = MemoryQueue(*map(event, places), *map(event, places[:5]), event(*places), *junk)
    async with taking(database, queue, store) as watch:
        await until_empty(queue)
    assert {row_of(database, place).jobs for place in places} == {1}
    assert watch.arrivals["sqs", "accepted"] == len(places)
    assert watch.garbage_seen == 2


async def test_a_message_is_kept_until_it_is_durable(database: Database) -> None:
    """While the store is away messages come again; the queue's own outage ends nothing either (T18)."""
    store, places = Shaky(lambda: NOW_MS), [issue(database, A) for _ in range(3)]
    for place in places:
        store.put(place.key, BODY, CONTENT_TYPE)
    store.failures = 4
    queue = MemoryQueue(*map(event, places))
    queue.failures = 2
    async with taking(database, queue, store) as watch:
        await until_empty(queue)
    assert {row_of(database, place).state for place in places} == {UploadState.ARRIVED}
    assert sum(isinstance(error, QueueAway) for error in watch.failures) == 2
    assert any(isinstance(error, ObjectsAway) for error in watch.failures)
