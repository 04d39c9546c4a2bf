"""The webhook in process: who may tell, what is taken, and when it says that it is durable."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import orjson
import pytest

from cloud.intake.arrivals import Arrivals
from cloud.intake.events import EVENT_MAX_BYTES
from cloud.intake.hearing import Hearing
from cloud.intake.memory_intake_store import MemoryIntakeStore
from cloud.intake.values import CONTENT_TYPE, ObjectPlace, UploadState
from cloud.intake.webhook import Webhook
from cloud.objects.ports import ObjectsAway
from tests.builders.cloud_database import NOW_MS, add_tenants, sqlite_database
from tests.builders.intake import BODY, CountingWatch, issue, row_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud.database.engine import Database
    from cloud.intake.intake_store import ObjectHead

A, TOKEN, BUCKET = "apfelstrudel", "täglich/frisch", "topscoop-intake"
BEARER = {"Authorization": f"Bearer {TOKEN}".encode("latin-1")}


class Away(MemoryIntakeStore):
    away = False

    def head(self, key: str) -> ObjectHead | None:
        if self.away:
            raise ObjectsAway("the store is away")
        return super().head(key)


class Stage:
    def __init__(self, database: Database, threads: ThreadPoolExecutor) -> None:
        self.database = database
        self.watch = CountingWatch()
        self.store = Away(lambda: NOW_MS)
        arrivals = Arrivals(database, self.store, self.watch, lambda: NOW_MS, 120)
        webhook = Webhook(TOKEN, BUCKET, Hearing(arrivals, threads), self.watch)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(webhook), base_url="http://intake")

    def uploaded(self) -> ObjectPlace:
        place = issue(self.database, A)
        self.store.put(place.key, BODY, CONTENT_TYPE)
        return place

    async def tell(self, body: bytes, path: str = "/events", **headers: str | bytes) -> int:
        chosen = headers or BEARER
        return (await self.client.post(path, content=body, headers=chosen)).status_code


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Made once; each test uploads pictures of its own."""
    with sqlite_database(tmp_path_factory.mktemp("webhook")) as database:
        add_tenants(database, A)
        yield database


@pytest.fixture
def stage(database: Database) -> Iterator[Stage]:
    with ThreadPoolExecutor(4) as threads:
        yield Stage(database, threads)


def event(*places: ObjectPlace) -> bytes:
    records = [
        {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": {"key": place.key}}}
        for place in places
    ]
    return orjson.dumps({"Records": records})


async def test_an_event_is_durable_when_it_is_answered(stage: Stage) -> None:
    """Several in one message, told twice: one job each."""
    places = [stage.uploaded() for _ in range(3)]
    assert [await stage.tell(event(*places)) for _ in range(2)] == [204, 204]
    assert {row_of(stage.database, place).jobs for place in places} == {1}
    assert stage.watch.arrivals == {("webhook", "accepted"): 3, ("webhook", "known"): 3}


async def test_the_token_may_stand_in_the_path(stage: Stage) -> None:
    """Ceph sends no header of ours."""
    place = stage.uploaded()
    assert await stage.tell(event(place), "/events/t%C3%A4glich%2Ffrisch", Accept="*/*") == 204
    assert row_of(stage.database, place).state is UploadState.ARRIVED


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/events", ""),
        ("/events", "Bearer "),
        ("/events", "Bearer wrong"),
        ("/events", "Basic täglich/frisch"),
        ("/events/wrong", "Bearer täglich/frisch"),
        ("/events/", "täglich/frisch"),
    ],
)
async def test_nobody_else_is_heard(stage: Stage, path: str, header: str) -> None:
    """Without the token nothing is read, and it is counted."""
    place = stage.uploaded()
    assert await stage.tell(event(place), path, Authorization=header.encode("latin-1")) == 401
    assert stage.watch.strangers == 1
    assert row_of(stage.database, place).state is UploadState.ISSUED


async def test_other_addresses_and_methods(stage: Stage) -> None:
    """There is one address, and it is told things: it shows nothing."""
    assert await stage.tell(b"{}", "/") == 404
    assert await stage.tell(b"{}", "/eventsx") == 404
    assert (await stage.client.get("/events", headers=BEARER)).status_code == 405


async def test_garbage_is_counted(stage: Stage) -> None:
    """No JSON, a form that nobody sends, an address to be fetched (T23); too much is not read to its end."""
    confirmation = b'{"Type": "SubscriptionConfirmation", "SubscribeURL": "http://169.254.169.254/"}'
    assert [await stage.tell(body) for body in (b"{", b"[]", confirmation)] == [400, 400, 400]
    assert stage.watch.garbage_seen == 3
    assert await stage.tell(b"x" * (EVENT_MAX_BYTES + 1)) == 413


async def test_what_is_not_ours_is_no_fault(stage: Stage) -> None:
    """The test event, a deletion, another bucket: taken, and nothing happens."""
    assert await stage.tell(b'{"Event": "s3:TestEvent"}') == 204
    assert await stage.tell(event()) == 204
    assert await stage.tell(event(stage.uploaded()).replace(BUCKET.encode(), b"somebody-elses")) == 204
    assert stage.watch.places == 0


async def test_a_store_that_is_away_is_told_again(stage: Stage) -> None:
    """503 with a time; then the same event makes the job: nothing is lost (T18)."""
    place = stage.uploaded()
    stage.store.away = True
    answer = await stage.client.post("/events", content=event(place), headers=BEARER)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert row_of(stage.database, place).state is UploadState.ISSUED
    stage.store.away = False
    assert await stage.tell(event(place)) == 204
    assert row_of(stage.database, place).jobs == 1
