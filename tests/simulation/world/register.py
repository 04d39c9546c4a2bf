"""A register of the simulation: the real uplink over the real spool, and a till with customers.

Delivery, consent desk, harvest and their shell are the agent's own; link, clock, journal and disk are the
world's. What outlives a crash: the spool, the journal, the keys, and the slips in customers' pockets.
"""

import asyncio
import hashlib
import random
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

from edge_agent.errors import NoBlanksError
from edge_agent.uplink.accounting import DropReason, Fate, never_spooled
from edge_agent.uplink.anchors import Anchors
from edge_agent.uplink.cloud_clock import CloudClock
from edge_agent.uplink.consent_desk import ConsentDesk, Granted, Yes
from edge_agent.uplink.delivery import Delivery
from edge_agent.uplink.delivery_events import EraseCame, SpoolChanged
from edge_agent.uplink.delivery_loop import Deliverer, DeliveryParts
from edge_agent.uplink.delivery_policy import DeliveryPolicy
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.harvest import CURSOR_NAMES, Cursors, JournalImpression, JournalOutcome
from edge_agent.uplink.harvest_loop import Harvest
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.link_events import (
    BrokerRefused,
    Connected,
    Disconnected,
    LinkEvent,
    PubAcked,
    Received,
)
from edge_agent.uplink.packaging import JpegFrame, Packager, Stamp
from edge_agent.uplink.spool_rules import AgeGuard
from edge_agent.uplink.spooled import Write
from tests.builders.records import impression, outcome
from tests.simulation.world.broker import Broker, Session
from tests.simulation.world.disk import FaultyDisk
from tests.simulation.world.loop import Life, VirtualLoop, in_life
from tests.simulation.world.referee import Permission, Referee
from tests.simulation.world.stores import Clock
from wire_protocol.consent import FRAME_PURPOSE, Method
from wire_protocol.errors import RefusedMessage
from wire_protocol.identifiers import uuid7
from wire_protocol.keys import SigningKey
from wire_protocol.limits import FRAME_MAX_AGE_MS, MESSAGE_MAX_BYTES
from wire_protocol.messages import ReportUp
from wire_protocol.topics import Identity, Topic, Up, register_may_subscribe

STORE = "main-street"
HARVEST_S = 15.0
REPORT_S = 180.0
EXPIRE_S = 600.0
CONSENT_MS = 90 * 24 * 3600 * 1000
INTERACTION_LIFETIME_MS = 30_000
BLANKS_LOW = 6
BLANKS_WANTED = 12
YES = Yes((FRAME_PURPOSE,), hashlib.sha256(b"notice").digest(), "en", Method.TOUCH)


@dataclass
class Journal:
    """`edge_agent.uplink.harvest_loop.JournalReader` over lists."""

    slates: list[JournalImpression] = field(default_factory=list)
    sales: list[JournalOutcome] = field(default_factory=list)

    def impressions(self, after: int, limit: int) -> tuple[JournalImpression, ...]:
        return tuple(self.slates[after : after + limit])

    def outcomes(self, after: int, limit: int) -> tuple[JournalOutcome, ...]:
        return tuple(self.sales[after : after + limit])


@dataclass
class RegisterClock:
    """`edge_agent.ports.Clock`: the wall clock may be wrong, the monotonic one is the world's."""

    loop: VirtualLoop
    true: Clock
    skew_ms: int = 0

    def now_ms(self) -> int:
        return self.true.now_ms() + self.skew_ms

    def monotonic_ns(self) -> int:
        return round(self.loop.time() * 1e9)

    def local(self) -> tuple[float, int]:
        return 12.0, 0


class SimLink:
    """`edge_agent.uplink.ports.Link` over the simulated broker; one per life of the register."""

    def __init__(self, broker: Broker, identity: Identity, life: Life, chance: random.Random) -> None:
        self._broker = broker
        self._identity = identity
        self._life = life
        self._chance = chance
        self._listener: Callable[[LinkEvent], None] = lambda _: None
        self._session: Session | None = None
        self._dialling = False

    def listen(self, listener: Callable[[LinkEvent], None]) -> None:
        self._listener = listener

    def connect(self) -> None:
        session = Session(
            client=self._identity.common_name,
            on_message=self._received,
            on_close=lambda: self._closed(session),
            tell=self._tell,
            mine=register_may_subscribe(self._identity),
        )
        if self._broker.connect(session):
            self._session = session
            self._listener(Connected(MESSAGE_MAX_BYTES + 256))
        elif self._chance.random() < 0.5:
            self._dialling = True  # no answer at all
        else:
            self._listener(Disconnected("connection refused"))

    def publish(self, message_id: bytes, topic: str, message: bytes) -> None:
        def acknowledged(code: int) -> None:
            self._listener(PubAcked(message_id) if code == 0 else BrokerRefused(message_id, code))

        if self._session is not None:
            self._broker.publish(self._session, topic, message, acknowledged)

    def disconnect(self) -> None:
        if self._dialling:
            self._dialling = False
            self._listener(Disconnected("given up"))
        if self._session is not None:
            self._broker.close(self._session)

    def _received(self, topic: str, payload: bytes, acknowledge: Callable[[], None]) -> None:
        acknowledge()
        self._listener(Received(topic, payload))

    def _closed(self, session: Session) -> None:
        if self._session is session:
            self._session = None
            self._listener(Disconnected("connection lost"))

    def _tell(self, what: Callable[[], None]) -> None:
        if self._life.alive:
            what()


@dataclass(frozen=True)
class Surroundings:
    """What a register has around it, the same in every life."""

    broker: Broker
    loop: VirtualLoop
    clock: Clock
    referee: Referee
    delivery: Callable[[DeliveryPolicy, Callable[[], float]], Delivery]


class Register:
    """One till: serves when the world says so, delivers by itself, dies and starts again."""

    def __init__(
        self,
        packager: Packager,
        anchors: Anchors,
        disk: FaultyDisk,
        chance: random.Random,
        around: Surroundings,
    ) -> None:
        self.identity = packager.identity
        self.packager = packager
        self.anchors = anchors
        self.disk = disk
        self.journal = Journal()
        self.clock = RegisterClock(around.loop, around.clock)
        self.life: Life | None = None
        self.slips: list[Granted] = []
        """What customers carry home."""
        self._chance = chance
        self._around = around
        self.desk = ConsentDesk(
            packager=packager,
            anchors=anchors,
            spool=disk,
            secret=chance.randbytes(32),
            valid_ms=CONSENT_MS,
            randomness=chance.randbytes,
        )
        self._harvest = Harvest(self.journal, disk, packager, INTERACTION_LIFETIME_MS, self.clock.now_ms)
        self._deliverer: Deliverer | None = None
        self._link: SimLink | None = None

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self.life is not None and self.life.alive

    @property
    def harvested(self) -> bool:
        """Whether nothing waits in the journal."""
        cursors = Cursors.of({name: self.disk.setting(name) for name in CURSOR_NAMES})
        return cursors == Cursors(len(self.journal.slates), len(self.journal.sales))

    # ---- life ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """A new process over what the old one left."""
        around = self._around
        self.life = life = Life(self.identity.common_name)
        self._link = SimLink(around.broker, self.identity, life, self._chance)
        self._deliverer = Deliverer(
            DeliveryParts(
                identity=self.identity,
                anchors=self.anchors,
                core=around.delivery(DeliveryPolicy(), self._chance.random),
                spool=self.disk,
                link=self._link,
                clock=self.clock,
                cloud_clock=CloudClock(0),
                executor=cast("Executor", None),  # the loop has no threads
                blanks_came=lambda: None,
                connected=lambda: None,
                receipt_after=lambda _: None,
            )
        )
        for coroutine, name in (
            (self._deliverer.run(), "deliver"),
            (self._bring_in(), "harvest"),
            (self._report(self._link), "report"),
            (self._expire(), "expire"),
        ):
            in_life(around.loop, life, coroutine, f"{self.identity} {name}")

    def end(self) -> None:
        """The power is cut; the broker sees the connection end."""
        if self.life is not None:
            self.life.alive = False
            self.disk.power_cut()
            session = self._around.broker.session_of(self.identity.common_name)
            if session is not None:
                self._around.broker.close(session)
        self.life = self._deliverer = self._link = None

    async def _bring_in(self) -> None:
        """As `harvest_loop.harvest`, at the pace of a simulation."""
        while True:
            await asyncio.sleep(HARVEST_S * (0.5 + self._chance.random()))
            try:
                count, _ = self._harvest.step()
            except SpoolError:
                await asyncio.sleep(20)
                continue
            if count:
                self._changed(Lane.EVENTS)

    async def _report(self, link: SimLink) -> None:
        while True:
            await asyncio.sleep(REPORT_S * (0.5 + self._chance.random()))
            left = self.disk.blanks_left(self.clock.now_ms())
            try:
                stamp = self._stamp()
            except SpoolError:
                continue
            report = ReportUp(
                agent_version="twin",
                at=stamp.at_ms,
                uptime_s=0,
                blanks_left=left,
                blanks_wanted=BLANKS_WANTED - left if left < BLANKS_LOW else 0,
                spooled_messages=0,
                spooled_bytes=0,
                counters=(),
            )
            link.publish(
                stamp.message_id, str(self.packager.topic(Up.REPORT)), self.packager.report(stamp, report)
            )

    async def _expire(self) -> None:
        guard = AgeGuard()
        while True:
            await asyncio.sleep(EXPIRE_S)
            monotonic_ms = self.clock.monotonic_ns() // 1_000_000
            before_ms = guard.expires_before(self.clock.now_ms(), monotonic_ms, FRAME_MAX_AGE_MS)
            try:
                if before_ms is not None:
                    self.disk.expire(before_ms)
                self.disk.flush()
            except SpoolError:
                continue

    def _changed(self, lane: Lane) -> None:
        if self._deliverer is not None:
            self._deliverer.tell(SpoolChanged(lane))

    def _stamp(self) -> Stamp:
        return Stamp(self._chance.randbytes(16), self.disk.next_sequence(), self.clock.now_ms())

    # ---- the till ------------------------------------------------------------------------------------------

    def serve(self, *, agrees: bool | None, buys: bool, regrets_s: float | None = None) -> None:
        """One customer: an interaction, perhaps a consented frame, perhaps a sale.

        Args:
            agrees: None where nobody was asked for a picture.
            buys: Whether there is an outcome.
            regrets_s: After so long the customer takes the consent back.
        """
        now_ms, journal = self.clock.now_ms(), self.journal
        interaction = uuid7(now_ms, self._chance.randbytes(10))
        slate = impression(interaction_id=interaction, shown_at_ms=now_ms)
        journal.slates.append(JournalImpression(len(journal.slates) + 1, slate, buys, now_ms))
        if buys:
            sale = outcome(interaction_id=interaction, at_ms=now_ms, since_shown_ms=10)
            sold_id = uuid7(now_ms, self._chance.randbytes(10))
            journal.sales.append(JournalOutcome(len(journal.sales) + 1, sold_id, sale, now_ms))
        if agrees is not None and self.life is not None:
            answer = self._picture(interaction, regrets_s) if agrees else self._no_picture()
            in_life(self._around.loop, self.life, answer, f"{self.identity} customer")

    async def _no_picture(self) -> None:
        await self._count(never_spooled(Lane.FRAMES, Fate.WITHOUT_CONSENT))

    async def _picture(self, interaction: UUID, regrets_s: float | None) -> None:
        """Consent first, then the picture under it; each is durable, and told, by itself."""
        try:
            granted = self.desk.grant(interaction, YES, self.clock.now_ms())
        except NoBlanksError:
            await self._count(never_spooled(Lane.FRAMES, Fate.DROPPED, DropReason.UNSEALED))
            return
        except SpoolError:
            return  # the customer was told that nothing is kept
        consent = granted.consent_id.bytes
        permission = Permission(self.identity, interaction.bytes, granted.expires_at_ms)
        self._around.referee.books.permissions[consent] = permission
        self.slips.append(granted)
        self._changed(Lane.CONSENTS)
        await asyncio.sleep(self._chance.random() * 0.2)
        picture = JpegFrame(b"picture of " + interaction.bytes, 640, 480, self.clock.now_ms())
        try:
            if self.desk.file_frame(granted, picture, self.clock.now_ms(), dict):
                self._changed(Lane.FRAMES)
        except (SpoolError, RefusedMessage):
            return  # the picture is overwritten
        if regrets_s is not None:
            await asyncio.sleep(regrets_s)
            self.withdraw(granted)

    async def _count(self, counters: dict[str, int]) -> None:
        try:
            self.disk.write(Write(count=counters))
        except SpoolError:
            return  # what was not written was not captured

    def withdraw(self, granted: Granted) -> bool:
        """A customer comes back with the slip; whether the register could take it."""
        try:
            self.desk.withdraw(granted.consent_id, granted.withdrawal_code, self.clock.now_ms())
        except SpoolError:
            return False
        self._changed(Lane.WITHDRAWALS)
        if self._deliverer is not None:
            self._deliverer.tell(EraseCame((granted.consent_id.bytes,)))
        return True


def topic_of(register: Register, kind: Up) -> str:
    """Where a register's messages of a kind go."""
    return str(Topic(register.identity, kind))


def key_of(register: Register) -> SigningKey:
    """What a thief of the register has."""
    return register.packager.key
