"""The cloud's world: links of collectors, and its stores with whatever can go wrong around a call.

Each wrapper lets the real thing work and fails before it, after it, slowly or never; and it tells the referee
what really happened, whatever the caller will learn of it.
"""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from cloud.collector.ports import Decide, Ledger, Objects
from cloud.collector.values import (
    Condemned,
    Delivery,
    Ending,
    Failure,
    Offer,
    Opening,
    RefusalCount,
    Row,
)
from cloud.errors import DatabaseAway
from cloud.objects.ports import ObjectsAway, ObjectStore, Version
from tests.simulation.world.broker import Broker, Session
from tests.simulation.world.faults import Kind, Trouble
from tests.simulation.world.loop import Life
from tests.simulation.world.referee import Referee
from wire_protocol import envelope
from wire_protocol.errors import RefusedMessage
from wire_protocol.topics import Identity, Topic

T = TypeVar("T")

SLOW_S = 45.0
"""Longer than a claim's lease."""
SILENT_S = 300.0
"""Until the adapter's own time limit ends a call without an answer."""


async def pause(chance: random.Random) -> None:
    """A call takes a moment, or none: both orders of what is close together happen."""
    if chance.random() < 0.6:
        await asyncio.sleep(chance.random() * 0.02)


class CollectorLink:
    """`cloud.collector.ports.Link`: reconnects by itself, and forgets all when its process dies."""

    def __init__(
        self,
        broker: Broker,
        name: str,
        groups: tuple[str, ...],
        life: Life,
        referee: Referee,
    ) -> None:
        self._broker = broker
        self._name = name
        self._groups = groups
        self._loop = broker.loop
        self._life = life
        self._referee = referee
        self._answers = "keeper" not in groups
        self._came: deque[Delivery] = deque()
        self._waiting: list[asyncio.Future[None]] = []
        self._session: Session | None = None
        self._unanswered: dict[int, tuple[Identity, bytes]] = {}
        self.wanted = True
        self._connect()

    def _connect(self) -> None:
        if not self._life.alive or not self.wanted:
            return
        session = Session(
            client=self._name,
            on_message=self._received,
            on_close=self._closed,
            tell=self._tell,
            groups=self._groups,
        )
        if self._broker.connect(session):
            self._session = session
        else:
            self._loop.call_later(3, self._connect, context=self._loop.world)

    def leave(self, *, wanted: bool) -> None:
        """The network between broker and collector goes, or comes back."""
        self.wanted = wanted
        if wanted:
            self._connect()
        elif self._session is not None:
            self._broker.close(self._session)

    def close(self) -> None:
        """As the broker sees it when the process dies."""
        self.wanted = False
        if self._session is not None:
            self._broker.close(self._session)

    def _closed(self) -> None:
        self._session = None
        self._loop.call_later(2, self._connect, context=self._loop.world)

    def _tell(self, what: Callable[[], None]) -> None:
        if self._life.alive:
            what()

    def _received(self, topic: str, payload: bytes, acknowledge: Callable[[], None]) -> None:
        delivery = Delivery(topic, payload, acknowledge)
        with contextlib.suppress(RefusedMessage):  # what cannot be taken apart need not be answered
            place = Topic.parse(topic)
            self._unanswered[id(delivery)] = place.identity, envelope.parse(payload, place).header.message_id
        self._came.append(delivery)
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    async def next(self) -> Delivery:
        while not self._came:
            waiting = self._loop.create_future()
            self._waiting.append(waiting)
            await waiting
        return self._came.popleft()

    def publish(self, topic: Topic, message: bytes) -> None:
        """A receipt."""
        answered = (topic.identity, self._referee.answered(topic, message))
        for ticket in [ticket for ticket, whose in self._unanswered.items() if whose == answered]:
            del self._unanswered[ticket]
        self.send(topic, message)

    def send(self, topic: Topic, message: bytes) -> None:
        """Anything."""
        if self._session is not None:
            self._broker.publish(self._session, str(topic), message, lambda _: None)

    def acknowledge(self, delivery: Delivery) -> None:
        if self._unanswered.pop(id(delivery), None) is not None and self._answers:
            self._referee.acknowledged_unanswered(delivery.topic)
        delivery.ticket()


class FaultyObjects:
    """`cloud.collector.ports.Objects`, failing as S3 does."""

    def __init__(
        self,
        inner: Objects,
        trouble: Trouble,
        chance: random.Random,
        referee: Referee,
        crash_point: Callable[[], None],
    ) -> None:
        self._inner = inner
        self._trouble = trouble
        self._chance = chance
        self._referee = referee
        self._crash_point = crash_point

    async def put(self, key: str, body: bytes, metadata: Mapping[str, str], tags: Mapping[str, str]) -> str:
        await self._before("put")
        version = await self._inner.put(key, body, metadata, tags)
        self._referee.was_put(key, version, body)
        self._crash_point()
        await self._after("put")
        return version

    async def versions(self, prefix: str) -> Sequence[Version]:
        await self._before("versions")
        return await self._inner.versions(prefix)

    async def folders(self, prefix: str) -> Sequence[str]:
        await self._before("folders")
        return await self._inner.folders(prefix)

    async def metadata(self, key: str, version: str) -> Mapping[str, str] | None:
        await self._before("metadata")
        return await self._inner.metadata(key, version)

    async def delete(self, key: str, version: str) -> None:
        await self._before("delete")
        self._referee.will_be_deleted(key, version)
        await self._inner.delete(key, version)
        await self._after("delete")

    async def _before(self, call: str) -> None:
        await self._pause()
        if self._trouble.strikes(Kind.S3_AWAY, share=0.9):
            raise ObjectsAway(f"{call}: 503, slow down")
        if self._trouble.strikes(Kind.S3_SLOW, share=0.3):
            await asyncio.sleep(SLOW_S * self._chance.random() * 1.5)

    async def _pause(self) -> None:
        await pause(self._chance)

    async def _after(self, call: str) -> None:
        await self._pause()
        if self._trouble.strikes(Kind.S3_AFTER, share=0.4):
            raise ObjectsAway(f"{call}: 500, after it was carried out")
        if self._trouble.strikes(Kind.S3_SILENT, share=0.3):
            await asyncio.sleep(SILENT_S * self._chance.random())
            raise ObjectsAway(f"{call}: no answer")


class FaultyLedger:
    """`cloud.collector.ports.Ledger`, failing as a database does."""

    def __init__(
        self,
        inner: Ledger,
        trouble: Trouble,
        chance: random.Random,
        referee: Referee,
        crash_point: Callable[[], None],
    ) -> None:
        self._inner = inner
        self._trouble = trouble
        self._chance = chance
        self._referee = referee
        self._crash_point = crash_point

    async def open(
        self, tenant: str, offers: Sequence[Offer], decide: Decide, now_ms: int
    ) -> Sequence[Opening]:
        await self._before()
        openings = await self._inner.open(tenant, offers, decide, now_ms)
        self._referee.opened(tenant, offers, openings)
        self._crash_point()
        await self._after()
        return openings

    async def finish(self, tenant: str, endings: Sequence[Ending], now_ms: int) -> Sequence[Row | None]:
        await self._before()
        rows = await self._inner.finish(tenant, endings, now_ms)
        self._referee.finished(tenant, endings, rows)
        self._crash_point()
        await self._after()
        return rows

    async def row(self, tenant: str, register: str, message_id: bytes) -> Row | None:
        await self._before()
        return await self._inner.row(tenant, register, message_id)

    async def fail(self, tenant: str, failure: Failure, now_ms: int) -> Row:
        await self._before()
        row = await self._inner.fail(tenant, failure, now_ms)
        await self._after()
        return row

    async def count_refusals(self, tenant: str, counts: Sequence[RefusalCount]) -> None:
        await self._before()
        await self._inner.count_refusals(tenant, counts)

    async def without_frame(self, tenant: str, versions: Sequence[Version]) -> Sequence[Version]:
        await self._before()
        return await self._inner.without_frame(tenant, versions)

    async def condemn(self, tenant: str, version: Condemned, now_ms: int) -> bool:
        await self._before()
        may_go = await self._inner.condemn(tenant, version, now_ms)
        await self._after()
        return may_go

    async def _before(self) -> None:
        await self._pause()
        if self._trouble.strikes(Kind.DATABASE_AWAY):
            raise DatabaseAway("the database does not answer")

    async def _pause(self) -> None:
        await pause(self._chance)

    async def _after(self) -> None:
        await self._pause()
        if self._trouble.strikes(Kind.DATABASE_AFTER, share=0.3):
            raise DatabaseAway("the connection was lost after COMMIT")


class WatchedObjects:
    """The bucket without faults, for a sweep after hours."""

    def __init__(self, inner: Objects, referee: Referee) -> None:
        self._inner = inner
        self._referee = referee
        self.put = inner.put
        self.versions = inner.versions
        self.folders = inner.folders
        self.metadata = inner.metadata

    async def delete(self, key: str, version: str) -> None:
        self._referee.will_be_deleted(key, version)
        await self._inner.delete(key, version)


class WatchedBucket:
    """The bucket as the keeper has it: the referee sees what is deleted, and S3 fails here too."""

    def __init__(self, inner: ObjectStore, referee: Referee, trouble: Trouble) -> None:
        self._inner = inner
        self._referee = referee
        self._trouble = trouble
        self.folders = inner.folders
        self.metadata = inner.metadata
        self.get = inner.get
        self.delete_markers = inner.delete_markers

    def put(self, key: str, body: bytes, metadata: Mapping[str, str], tags: Mapping[str, str]) -> str:
        self._ask("put")
        return self._inner.put(key, body, metadata, tags)

    def versions(self, prefix: str) -> Iterator[Version]:
        self._ask("versions")
        return self._inner.versions(prefix)

    def delete(self, key: str, version: str) -> None:
        self._ask("delete")
        self._referee.will_be_deleted(key, version)
        self._inner.delete(key, version)
        if self._trouble.strikes(Kind.S3_AFTER, share=0.4):
            raise ObjectsAway("delete: 500, after it was carried out")

    def _ask(self, call: str) -> None:
        if self._trouble.strikes(Kind.S3_AWAY, share=0.9):
            raise ObjectsAway(f"{call}: 503, slow down")
