"""The real collector over paper: a link, a store and a directory in memory, a clock that is set by hand."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cloud.collector.collect_loop import Collector
from cloud.collector.limits import Limits
from cloud.collector.memory_ledger import MemoryLedger
from cloud.collector.ports import World
from cloud.collector.values import Answered, Delivery
from cloud.errors import DatabaseAway
from cloud.objects.coroutines import InThreads, at_once
from cloud.objects.memory_store import MemoryStore
from cloud.objects.ports import ObjectsAway, Version
from wire_protocol import envelope
from wire_protocol.envelope import KeyRecord
from wire_protocol.keys import SigningKey
from wire_protocol.messages import ReceiptDown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from cloud.collector.values import RegisterRecord, TenantRecord
    from tests.builders.frame_sender import Sender, Sent
    from wire_protocol.topics import Topic

NOW = 1_790_000_000_000


@dataclass
class PaperLink:
    """What was published and acknowledged, in order."""

    arrived: asyncio.Queue[Delivery] = field(default_factory=asyncio.Queue)
    did: list[tuple[str, Any]] = field(default_factory=list)

    async def next(self) -> Delivery:
        return await self.arrived.get()

    def publish(self, topic: Topic, message: bytes) -> None:
        self.did.append(("publish", (topic, message)))

    def acknowledge(self, delivery: Delivery) -> None:
        self.did.append(("acknowledge", delivery.ticket))


@dataclass
class PaperDirectory:
    """Who may send; `asked` counts."""

    tenant_records: dict[str, TenantRecord] = field(default_factory=dict)
    register_records: dict[tuple[str, str], RegisterRecord] = field(default_factory=dict)
    away: bool = False
    asked: int = 0

    async def tenant(self, tenant: str) -> TenantRecord | None:
        self.asked += 1
        if self.away:
            raise DatabaseAway("away")
        return self.tenant_records.get(tenant)

    async def tenants(self) -> Sequence[str]:
        return sorted(self.tenant_records)

    async def registers(self, tenant: str, registers: Sequence[str]) -> Mapping[str, RegisterRecord]:
        if self.away:
            raise DatabaseAway("away")
        found = ((name, self.register_records.get((tenant, name))) for name in registers)
        return {name: record for name, record in found if record is not None}


class PaperObjects(InThreads):
    """A store in memory that fails and waits when told to."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store, at_once)
        self.store = store
        self.away = False
        self.stores_and_fails = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.putting = 0
        self._begun = asyncio.Event()

    async def until_putting(self, count: int = 1) -> None:
        """Wait until so many puts are under way."""
        while self.putting < count:
            self._begun.clear()
            await self._begun.wait()

    async def put(self, key: str, body: bytes, metadata: Mapping[str, str], tags: Mapping[str, str]) -> str:
        self.putting += 1
        self._begun.set()
        try:
            await self.gate.wait()
            if self.away:
                raise ObjectsAway("away")
            version = await super().put(key, body, metadata, tags)
            if self.stores_and_fails:
                raise ObjectsAway("answered nothing, and had stored")
            return version
        finally:
            self.putting -= 1


@dataclass
class PaperWatch:
    """What was counted."""

    answers: list[Answered] = field(default_factory=list)
    failures: list[tuple[str, Exception]] = field(default_factory=list)
    swept_versions: list[Version] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def received(self, size: int) -> None:
        """Nothing to note."""

    def answered(self, answered: Answered) -> None:
        self.answers.append(answered)
        self.changed.set()

    def failed(self, event: str, topic: str, error: Exception) -> None:
        self.failures.append((event, error))

    def swept(self, version: Version) -> None:
        self.swept_versions.append(version)


@dataclass
class PaperClock:
    now: int = NOW

    def now_ms(self) -> int:
        return self.now


class PaperCollector:
    """A collector with its world; `sent` brings messages to it, `answers` waits for what it says."""

    def __init__(self, limits: Limits | None = None, *, ledger: MemoryLedger | None = None) -> None:
        self.clock = PaperClock()
        self.link = PaperLink()
        self.ledger = ledger or MemoryLedger()
        self.objects = PaperObjects(MemoryStore(self.clock.now_ms))
        self.directory = PaperDirectory()
        self.watch = PaperWatch()
        self.key = SigningKey.generate()
        tokens = itertools.count()
        self.world = World(
            self.link,
            self.ledger,
            self.objects,
            self.directory,
            lambda _: self.key,
            self.clock,
            self.watch,
            lambda: next(tokens).to_bytes(16),
        )
        self.collector = Collector(self.world, limits or Limits(batch_ms=0))

    def enrol(self, *senders: Sender, revoked: bool = False, **quotas: Any) -> None:
        for sender in senders:
            self.directory.tenant_records[sender.tenant] = sender.tenant_record(**quotas)
            record = sender.register_record(revoked=revoked)
            self.directory.register_records[sender.tenant, sender.register] = record

    def sent(self, *messages: Sent) -> None:
        for message in messages:
            self.link.arrived.put_nowait(message.delivery(message.message_id))

    def raw(self, topic: str, payload: bytes, ticket: Any) -> None:
        self.link.arrived.put_nowait(Delivery(topic, payload, ticket))

    async def answers(self, count: int) -> list[Answered]:
        """The answers so far, once there are `count`."""
        async with asyncio.timeout(10):
            while len(self.watch.answers) < count:
                self.watch.changed.clear()
                await self.watch.changed.wait()
        return self.watch.answers

    def receipts(self) -> list[ReceiptDown]:
        """Every receipt, in the order in which they went out; signatures are checked."""
        keys = {self.key.kid: KeyRecord(self.key.verification_key)}.get
        found = []
        for what, value in self.link.did:
            if what == "publish":
                topic, message = value
                receipt = envelope.verify(envelope.parse(message, topic), keys).payload
                assert isinstance(receipt, ReceiptDown)
                found.append(receipt)
        return found

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.get_running_loop().create_task(self.collector.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
