"""The delivery's hands: actions are carried out, the cloud is believed only where it signed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from edge_agent.uplink.anchors import Purpose
from edge_agent.uplink.cloud_clock import CloudClock
from edge_agent.uplink.delivery import Delivery
from edge_agent.uplink.delivery_events import SpoolChanged
from edge_agent.uplink.delivery_loop import TELL_EVERY_MS, Deliverer, DeliveryParts
from edge_agent.uplink.delivery_policy import DeliveryPolicy
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.link_events import Connected, Disconnected, PubAcked, Received
from tests.builders.records import interaction_id
from tests.builders.scripted_cloud import IDENTITY
from tests.builders.uplink import PaperDesk, ToldLink
from wire_protocol.envelope import VerifiedMessage
from wire_protocol.fleet_messages import DesiredDown, Settings
from wire_protocol.messages import Verdict
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Topic, Up

RECEIPTS = str(Topic(IDENTITY, Down.RECEIPT))


@dataclass
class Running:
    """A deliverer at work over a link that the test tells."""

    shop: PaperDesk
    link: ToldLink
    deliverer: Deliverer
    task: asyncio.Task[None]
    told: list[Any] = field(default_factory=list)
    cloud_clock: CloudClock = field(default_factory=lambda: CloudClock(0))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let everybody work until it is true; the clock stands still unless the test moves it."""
        async with asyncio.timeout(20):
            while not condition():
                assert not self.task.done(), self.task.exception()
                await asyncio.sleep(0.001)

    async def connect(self) -> None:
        self.shop.clock.advance(2_001)
        self.deliverer.tell(SpoolChanged(Lane.EVENTS))
        await self.until(lambda: self.link.connects == 1)
        self.link.tell(Connected(1 << 20))
        await self.until(lambda: self.deliverer.is_connected)

    def consent(self, number: int) -> None:
        yes = self.shop.yes().yes
        assert yes is not None
        self.shop.desk.grant(interaction_id(number), yes, self.shop.clock.now_ms())
        self.deliverer.tell(SpoolChanged(Lane.CONSENTS))


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    shop, link, told, cloud_clock = PaperDesk(blanks=9), ToldLink(), [], CloudClock(0)
    deliverer = Deliverer(
        DeliveryParts(
            identity=IDENTITY,
            anchors=shop.anchors,
            core=Delivery(DeliveryPolicy(), lambda: 0.5),
            spool=shop.spool,
            link=link,
            clock=shop.clock,
            cloud_clock=cloud_clock,
            executor=shop.executor,
            blanks_came=lambda: told.append("blanks"),
            connected=lambda: told.append("connected"),
            receipt_after=told.append,
            others=told.append,
            disconnected=lambda: told.append("disconnected"),
        )
    )
    task = asyncio.create_task(deliverer.run())
    made = Running(shop, link, deliverer, task, told, cloud_clock)
    await asyncio.sleep(0)
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert link.disconnects >= 1, "it did not say goodbye"
    shop.executor.shutdown()


async def test_only_the_signed_receipt_ends_a_message(running: Running) -> None:
    """PUBACK changes nothing; the receipt of other keys, of other bytes and of another purpose neither."""
    await running.connect()
    running.consent(1)
    await running.until(lambda: len(running.link.published) == 1)
    message_id, topic, message = running.link.published[0]
    assert topic == str(Topic(IDENTITY, Up.CONSENT))
    verified = running.shop.cloud.verify(topic, message)
    running.link.tell(PubAcked(message_id))
    cloud = running.shop.cloud
    cloud.receipts_key, good = cloud.consent_key, cloud.receipts_key
    running.link.tell(Received(RECEIPTS, cloud.receipt(verified)))
    cloud.receipts_key = good
    running.link.tell(Received(RECEIPTS, b"\xd2 no message"))
    running.link.tell(Received("topscoop/v1/gelateria-sole/till-2/down/receipt", cloud.receipt(verified)))
    await running.until(lambda: running.deliverer.not_believed.total() == 3)
    assert running.deliverer.not_believed[Reason.UNKNOWN_KEY] == 1
    assert running.shop.spool.load(message_id) is not None
    running.link.tell(Received(RECEIPTS, cloud.receipt(verified)))
    await running.until(lambda: running.shop.spool.load(message_id) is None)
    assert running.told == ["connected", 0.0]


async def test_a_refusal_is_counted_by_lane_and_reason(running: Running) -> None:
    """And ends the message."""
    await running.connect()
    running.consent(1)
    await running.until(lambda: len(running.link.published) == 1)
    _, topic, message = running.link.published[0]
    verified = running.shop.cloud.verify(topic, message)
    refusal = running.shop.cloud.receipt(
        verified, verdict=Verdict.REFUSED, version=None, reason=Reason.REVOKED
    )
    running.link.tell(Received(RECEIPTS, refusal))
    await running.until(lambda: running.deliverer.refused[Lane.CONSENTS, "revoked"] == 1)
    assert running.shop.spool.stats().lanes[Lane.CONSENTS].account.refused == 1


async def test_a_broker_that_is_away_costs_attempts_with_growing_pauses_t16(running: Running) -> None:
    """T16: days without a broker: few attempts, nothing lost, then it drains in order."""
    running.consent(1)
    for _ in range(60):
        before = running.link.connects
        for _ in range(40):
            running.shop.clock.advance(8_000)
            running.deliverer.tell(SpoolChanged(Lane.EVENTS))
            await asyncio.sleep(0.001)
            if running.link.connects > before:
                break
        assert running.link.connects > before, "it gave up"
        running.link.tell(Disconnected("nobody there"))
        await asyncio.sleep(0.001)
    attempts, elapsed_s = running.link.connects, running.shop.clock.ns / 1e9
    assert elapsed_s / attempts > 60, "it knocks too often"
    running.consent(2)
    running.shop.clock.advance(300_001)
    running.deliverer.tell(SpoolChanged(Lane.EVENTS))
    await running.until(lambda: running.link.connects > attempts)
    running.link.tell(Connected(1 << 20))
    await running.until(lambda: len(running.link.published) == 2)
    stored = [entry.message_id for entry in running.shop.spool.candidates(Lane.CONSENTS, 0, 9)]
    assert [message_id for message_id, _, _ in running.link.published] == stored


async def test_a_disk_that_refuses_does_not_end_the_delivery_t12(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """T12: the end cannot be written; the receipt is asked for again, and the message ends then."""
    monkeypatch.setattr("edge_agent.uplink.delivery_loop.SPOOL_RETRY_S", 0.001)
    await running.connect()
    running.consent(1)
    await running.until(lambda: len(running.link.published) == 1)
    message_id, topic, message = running.link.published[0]
    verified = running.shop.cloud.verify(topic, message)
    running.shop.spool.fault = SpoolError("disk full")
    running.link.tell(Received(RECEIPTS, running.shop.cloud.receipt(verified)))
    await running.until(lambda: "spool.refused" in caplog.messages)
    running.shop.spool.fault = None
    await running.until(lambda: len(running.link.published) == 2)
    running.link.tell(Received(RECEIPTS, running.shop.cloud.receipt(verified)))
    await running.until(lambda: running.shop.spool.load(message_id) is None)


async def test_blanks_and_erasures_are_taken_from_the_keeper_only(running: Running) -> None:
    """Blanks of the wrong key are counted; good ones are kept and told; an erasure empties the lane."""
    await running.connect()
    cloud, spool = running.shop.cloud, running.shop.spool
    left = spool.blanks_left(0)
    topic = str(Topic(IDENTITY, Down.BLANKS))
    running.link.tell(Received(topic, cloud.blanks_message([cloud.blank()], cloud.receipts_key)))
    await running.until(lambda: running.deliverer.not_believed[Reason.UNKNOWN_KEY] == 1)
    running.link.tell(Received(topic, cloud.blanks_message([cloud.blank(), cloud.blank()])))
    await running.until(lambda: "blanks" in running.told)
    assert spool.blanks_left(0) == left + 2
    assert running.shop.anchors.keys(Purpose.CONSENT)(cloud.receipts_key.kid) is None


async def test_a_desired_state_is_passed_on_only_where_the_fleet_key_signed_it(running: Running) -> None:
    """T2: the receipts' key orders nothing; whoever waits for files hears of a lost connection."""
    await running.connect()
    cloud, topic = running.shop.cloud, str(Topic(IDENTITY, Down.DESIRED))
    honest = cloud.fleet_key
    cloud.fleet_key = cloud.receipts_key
    running.link.tell(Received(topic, cloud.desired(1, 2, "a" * 64)))
    cloud.fleet_key = honest
    running.link.tell(Received(topic, cloud.desired(3, 4, "b" * 64)))
    await running.until(lambda: isinstance(running.told[-1], VerifiedMessage))
    orders = [one.payload for one in running.told if isinstance(one, VerifiedMessage)]
    assert orders == [DesiredDown(3, Settings(), 4, "b" * 64)]
    assert sum(running.deliverer.not_believed.values()) == 1
    running.link.tell(Disconnected("gone"))
    await running.until(lambda: running.told[-1] == "disconnected")


async def test_a_broker_that_forges_without_end_fills_no_log(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """T2: all of it is counted, and told once a minute."""
    await running.connect()
    topic = str(Topic(IDENTITY, Down.DESIRED))
    forged = running.shop.cloud.desired(1)[:-1] + b"x"

    async def told(count: int, lines: int) -> None:
        for _ in range(20):
            running.link.tell(Received(topic, forged))
        await running.until(lambda: sum(running.deliverer.not_believed.values()) == count)
        assert [one.getMessage() for one in caplog.records].count("downlink.refused") == lines

    await told(20, 1)
    running.shop.clock.advance(TELL_EVERY_MS)
    await told(40, 2)


async def test_who_orders_releases_or_serves_files_does_not_set_the_clock(running: Running) -> None:
    """T9, T15: a stolen key of either puts no register's time ahead for good; receipts' and erasures' may."""
    await running.connect()
    topic = str(Topic(IDENTITY, Down.DESIRED))
    running.link.tell(Received(topic, running.shop.cloud.desired(3, 4, "b" * 64)))
    await running.until(lambda: isinstance(running.told[-1], VerifiedMessage))
    assert running.cloud_clock.floor_ms == 0
    erase = running.shop.cloud.erase_message([bytes(16)])
    running.link.tell(Received(str(Topic(IDENTITY, Down.ERASE)), erase))
    await running.until(lambda: running.cloud_clock.floor_ms > 0)
