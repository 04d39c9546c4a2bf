"""Delivery with its hands on the world: link and spool tell, the pure delivery decides, this carries it out.

The event loop's thread only passes values on. Disk, verification and publishing run on the uplink's own
thread, one piece of work at a time, paced by the delivery: a backlog never makes a recommendation wait.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, TypeVar

from daemon.log_fields import fields
from edge_agent.ports import Clock
from edge_agent.uplink.accounting import Fate
from edge_agent.uplink.anchors import Anchors, open_down
from edge_agent.uplink.blank_intake import believable
from edge_agent.uplink.cloud_clock import CloudClock
from edge_agent.uplink.delivery_events import (
    Action,
    Connect,
    Disconnect,
    End,
    Erase,
    EraseCame,
    Event,
    Found,
    Ignore,
    Look,
    Missing,
    Publish,
    ReceiptCame,
    Release,
    SetAside,
    SpoolAgain,
    Tick,
    WakeAt,
)
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.link_events import (
    BrokerRefused,
    Connected,
    Disconnected,
    LinkEvent,
    PubAcked,
    Received,
)
from edge_agent.uplink.ports import Link, Spool
from edge_agent.uplink.spooled import Ending, Entry, Write
from wire_protocol.envelope import VerifiedMessage
from wire_protocol.errors import RefusedMessage
from wire_protocol.fleet_messages import DesiredDown, FileBlockDown
from wire_protocol.handover_messages import HandoverDown
from wire_protocol.messages import BlanksDown, EraseDown, ReceiptDown
from wire_protocol.topics import Identity, Topic

log = logging.getLogger(__name__)
T = TypeVar("T")

SPOOL_RETRY_S: Final = 5.0
"""After the disk refused something that must be done."""
TELL_EVERY_MS: Final = 60_000
"""A broker that forges without end fills no log: what is not believed is told so often for each reason."""
_NS_PER_MS: Final = 1_000_000
_MS_PER_S: Final = 1000


class Core(Protocol):
    """`edge_agent.uplink.delivery.Delivery`."""

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """What to do now; `now_ms` is monotonic."""


@dataclass(frozen=True, slots=True)
class DeliveryParts:
    """What delivering needs.

    Args:
        blanks_came: Told when new blanks lie in the spool.
        connected: Told when the broker has accepted the register.
        receipt_after: Told the seconds from publishing to the receipt.
        others: Gets what the cloud signed for others than the delivery: desired states, pieces of files,
            yeses of phones.
        disconnected: Told when there is no connection any more.
        executor: One thread that yields to requests.
    """

    identity: Identity
    anchors: Anchors
    core: Core
    spool: Spool
    link: Link
    clock: Clock
    cloud_clock: CloudClock
    executor: Executor
    blanks_came: Callable[[], None]
    connected: Callable[[], None]
    receipt_after: Callable[[float], None]
    others: Callable[[VerifiedMessage], None] = lambda _: None
    disconnected: Callable[[], None] = lambda: None


class Deliverer:
    """Runs until it is cancelled; a link that is dead costs it nothing but attempts."""

    def __init__(self, parts: DeliveryParts) -> None:
        self._parts = parts
        self._inbox: asyncio.Queue[Event | Received] = asyncio.Queue()
        self._wake_at_ms: int | None = None
        self._published_ns: dict[bytes, int] = {}
        self.is_connected = False
        self.refused: Counter[tuple[Lane, str]] = Counter()
        """Since the start, by lane and the collector's reason."""
        self.not_believed: Counter[str] = Counter()
        """Messages from above that were refused here, by reason."""
        self._told_at_ms: dict[str, int] = {}
        self.ignored = 0
        """Receipts that ended nothing."""

    def tell(self, event: Event) -> None:
        """Something happened on the register; on the loop's thread."""
        self._inbox.put_nowait(event)

    async def run(self) -> None:
        """Deliver until cancelled; then say goodbye."""
        parts, loop = self._parts, asyncio.get_running_loop()

        def heard(event: LinkEvent) -> None:
            # The link's thread may have something to tell when the loop is gone already.
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._inbox.put_nowait, event)

        parts.link.listen(heard)
        try:
            await self._handle(Tick())
            while True:
                await self._handle(await self._next())
        finally:
            parts.link.disconnect()

    async def _next(self) -> Event | Received:
        """What happens next; a Tick when the time is there that the delivery asked for."""
        if self._wake_at_ms is None:
            return await self._inbox.get()
        wait_s = (self._wake_at_ms - self._now_ms()) / _MS_PER_S
        try:
            return await asyncio.wait_for(self._inbox.get(), max(0.0, wait_s))
        except TimeoutError:
            self._wake_at_ms = None
            return Tick()

    async def _handle(self, first: Event | Received) -> None:
        events: deque[Event | Received] = deque([first])
        while events:
            event = events.popleft()
            match event:
                case Received():
                    events.extend(await self._open(event))
                    continue
                case Connected():
                    self.is_connected = True
                    log.info("link.connected", extra=fields(max_packet_bytes=event.max_packet_bytes))
                    self._parts.connected()
                case Disconnected():
                    self._gone(event)
                case PubAcked() | BrokerRefused() if event.message_id not in self._published_ns:
                    continue  # a report or a status: nobody waits for it
                case _:
                    pass
            for action in self._parts.core.handle(event, self._now_ms()):
                events.extend(await self._do(action))

    def _gone(self, event: Disconnected) -> None:
        if self.is_connected:
            log.warning("link.disconnected", extra=fields(reason=event.reason))
        else:
            log.info("link.failed", extra=fields(reason=event.reason))
        self.is_connected = False
        self._published_ns.clear()
        self._parts.disconnected()

    async def _do(self, action: Action) -> list[Event]:  # noqa: C901, PLR0912 - one case per action
        """Carry one thing out; what came of it."""
        parts = self._parts
        try:
            match action:
                case Connect():
                    parts.link.connect()
                case Disconnect():
                    parts.link.disconnect()
                case WakeAt(at_ms):
                    self._wake_at_ms = at_ms
                case Look(lane, after, limit):
                    entries = await self._off_loop(parts.spool.candidates, lane, after, limit)
                    return [Found(lane, after, entries)]
                case Publish(entry):
                    if not await self._off_loop(self._publish_off_loop, entry):
                        return [Missing(entry.message_id)]
                case End():
                    await self._end(action)
                case Erase(consents):
                    await self._off_loop(parts.spool.write, Write(erase=consents))
                    log.info("frames.erased", extra=fields(consents=len(consents)))
                case SetAside(entry, reason):
                    log.warning("message.set_aside", extra=fields(**_named(entry), reason=reason))
                    await self._off_loop(parts.spool.set_aside, entry.message_id, reason)
                case Release(at_most_bytes):
                    if await self._off_loop(parts.spool.release, at_most_bytes):
                        return [SpoolAgain()]
                case Ignore(message_id, why):
                    self.ignored += 1
                    log.debug("receipt.ignored", extra=fields(message_id=message_id.hex(), reason=why))
        except SpoolError as error:
            return self._refused_by_disk(action, error)
        return []

    async def _end(self, end: End) -> None:
        entry, fate = end.entry, end.fate
        published_ns = self._published_ns.pop(entry.message_id, None)
        if published_ns is not None:
            self._parts.receipt_after((self._parts.clock.monotonic_ns() - published_ns) / 1e9)
        await self._off_loop(self._parts.spool.write, Write(endings=(Ending(entry.message_id, fate),)))
        if fate is Fate.REFUSED:
            why = str(end.reason)
            self.refused[entry.lane, why] += 1
            log.warning("message.refused", extra=fields(**_named(entry), reason=why))

    def _refused_by_disk(self, action: Action, error: SpoolError) -> list[Event]:
        """Nothing is lost: what could not be done is done later, or its receipt comes again."""
        log.warning(
            "spool.refused", extra=fields(step=type(action).__name__, error=str(error), remedy=error.remedy)
        )
        loop = asyncio.get_running_loop()
        if isinstance(action, Erase):
            loop.call_later(SPOOL_RETRY_S, self.tell, EraseCame(action.consents))
        else:
            loop.call_later(SPOOL_RETRY_S, self.tell, SpoolAgain())
        return [Found(action.lane, action.after, ())] if isinstance(action, Look) else []

    def _publish_off_loop(self, entry: Entry) -> bool:
        message = self._parts.spool.load(entry.message_id)
        if message is None:
            return False
        self._published_ns[entry.message_id] = self._parts.clock.monotonic_ns()
        topic = str(Topic(self._parts.identity, entry.kind))
        self._parts.link.publish(entry.message_id, topic, message)
        return True

    async def _open(self, received: Received) -> list[Event]:
        """Believe what the cloud signed, and nothing else."""
        parts = self._parts
        try:
            verified = await self._off_loop(
                open_down, received.message, received.topic, parts.identity, parts.anchors
            )
        except RefusedMessage as error:
            self._refuse(received.topic, error)
            return []
        if not isinstance(verified.payload, DesiredDown | FileBlockDown):
            # Who serves files or orders releases shall not be able to put our time ahead for good.
            parts.cloud_clock.heard(verified.header.at_ms)
        match verified.payload:
            case ReceiptDown() as receipt:
                return [ReceiptCame(receipt)]
            case EraseDown(consents):
                return [EraseCame(consents)]
            case BlanksDown(blanks):
                await self._take_in(blanks)
            case DesiredDown() | FileBlockDown() | HandoverDown():
                parts.others(verified)
        return []

    def _refuse(self, topic: str, error: RefusedMessage) -> None:
        reason, now_ms = str(error.reason), self._now_ms()
        self.not_believed[reason] += 1
        told_at_ms = self._told_at_ms.get(reason)
        if told_at_ms is not None and now_ms - told_at_ms < TELL_EVERY_MS:
            return
        self._told_at_ms[reason] = now_ms
        log.warning(
            "downlink.refused",
            extra=fields(
                topic=topic[:120], reason=reason, error=str(error), so_far=self.not_believed[reason]
            ),
        )

    async def _take_in(self, blanks: tuple[bytes, ...]) -> None:
        parts = self._parts
        good, bad = await self._off_loop(believable, blanks, parts.identity, parts.anchors)
        for reason in bad:
            self.not_believed[str(reason)] += 1
        try:
            new = await self._off_loop(parts.spool.add_blanks, good)
        except SpoolError as error:
            # The next report says how few there are, and the cloud sends more.
            log.warning("spool.refused", extra=fields(step="blanks", error=str(error), remedy=error.remedy))
            return
        log.info("blanks.received", extra=fields(new=new, refused=len(bad)))
        parts.blanks_came()

    def _now_ms(self) -> int:
        return self._parts.clock.monotonic_ns() // _NS_PER_MS

    async def _off_loop(self, work: Callable[..., T], *arguments: object) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._parts.executor, partial(work, *arguments))


def _named(entry: Entry) -> dict[str, object]:
    return {"message_id": entry.message_id.hex(), "kind": entry.kind.value}
