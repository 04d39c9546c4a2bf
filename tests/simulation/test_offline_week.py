"""A register without a network for a week, and a fleet whose broker comes back; in virtual time."""

from collections import Counter
from functools import partial
from itertools import pairwise
from random import Random

from edge_agent.uplink.connection import State
from edge_agent.uplink.delivery import Delivery
from edge_agent.uplink.delivery_events import ReceiptCame, SpoolChanged, Tick
from edge_agent.uplink.delivery_policy import DeliveryPolicy
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.link_events import Connected, Disconnected, PubAcked
from edge_agent.uplink.memory_spool import MemorySpool
from edge_agent.uplink.spooled import Entry, Write
from tests.builders.records import START_MS
from tests.builders.spool_messages import of_lane, receipt
from tests.builders.virtual_uplink import VirtualTime, VirtualUplink

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_MAX_PACKET_BYTES = 256 << 10


class _CountingSpool(MemorySpool):
    """Tells how much of it was ever asked for at once."""

    most_looked_up = 0

    def candidates(self, lane: Lane, after: int, limit: int) -> tuple[Entry, ...]:
        found = super().candidates(lane, after, limit)
        self.most_looked_up = max(self.most_looked_up, len(found))
        return found


class _Broker:
    """Accepts while it is up; every published message gets its receipt after 40 ms."""

    def __init__(self, time: VirtualTime) -> None:
        self.up = True
        self.attempts: Counter[int] = Counter()
        """Connection attempts by second."""
        self._time = time

    def connect(self, uplink: VirtualUplink) -> None:
        self.attempts[self._time.now_ms // 1000] += 1
        answer = Connected(_MAX_PACKET_BYTES) if self.up else Disconnected("refused")
        self._time.after(20, partial(uplink.tell, answer))

    def never_slow(self) -> None:
        raise AssertionError("this broker always answers in time")

    def publish(self, uplink: VirtualUplink, entry: Entry) -> None:
        self._time.after(10, partial(uplink.tell, PubAcked(entry.message_id)))
        self._time.after(40, partial(uplink.tell, ReceiptCame(receipt(entry))))


def _register(
    spool: MemorySpool, time: VirtualTime, broker: _Broker, policy: DeliveryPolicy, seed: int
) -> tuple[VirtualUplink, list[Entry]]:
    sent: list[Entry] = []

    def publish(entry: Entry, message: bytes) -> None:
        assert len(message) == entry.size
        sent.append(entry)
        broker.publish(uplink, entry)

    uplink = VirtualUplink(
        Delivery(policy, Random(seed).random),
        spool,
        time,
        connect=lambda: broker.connect(uplink),
        publish=publish,
        disconnect=broker.never_slow,
    )
    uplink.tell(Tick())
    return uplink, sent


def test_a_week_offline_drains_in_order_and_in_bounded_memory() -> None:
    """T16: thousands of messages wait in the spool; of them no more than the window is ever in memory."""
    time = VirtualTime()
    spool = _CountingSpool(lambda: START_MS + time.now_ms)
    broker = _Broker(time)
    broker.up = False
    policy = DeliveryPolicy()
    uplink, sent = _register(spool, time, broker, policy, seed=1)
    per_lane = {Lane.WITHDRAWALS: 7, Lane.CONSENTS: 700, Lane.EVENTS: 1400, Lane.FRAMES: 700}
    most = {"messages": 0, "bytes": 0}

    def watch() -> None:
        most["messages"] = max(most["messages"], uplink.delivery.under_way)
        most["bytes"] = max(most["bytes"], uplink.delivery.under_way_bytes)

    for day in range(7):
        for lane, count in per_lane.items():
            for number in range(day * count // 7, (day + 1) * count // 7):
                spool.write(Write(messages=(of_lane(number, lane),)))
                uplink.tell(SpoolChanged(lane))
        time.run((day + 1) * _DAY_MS)
    assert sent == []
    assert max(broker.attempts.values()) <= 1
    assert len(broker.attempts) > 7 * 24 * 12, "every five minutes at least"
    broker.up = True
    while len(sent) < sum(per_lane.values()) and time.now_ms < 8 * _DAY_MS:
        time.run(time.now_ms + 100)
        watch()
    time.run(time.now_ms + 1000)
    assert [entry.lane for entry in sent] == sorted(entry.lane for entry in sent)
    for lane, count in per_lane.items():
        positions = [entry.position for entry in sent if entry.lane is lane]
        assert len(positions) == count
        assert positions == sorted(positions)
        account = spool.stats().lanes[lane].account
        assert (account.captured, account.stored, account.lost) == (count, count, 0)
    assert most["messages"] <= policy.window_count
    assert most["bytes"] <= policy.window_bytes
    assert spool.most_looked_up <= policy.window_count
    assert spool.loaded_bytes == sum(entry.size for entry in sent), "each message was loaded once"


def _fleet(time: VirtualTime, broker: _Broker, registers: int) -> list[VirtualUplink]:
    spools = [MemorySpool(lambda: START_MS + time.now_ms) for _ in range(registers)]
    return [_register(spool, time, broker, DeliveryPolicy(), seed)[0] for seed, spool in enumerate(spools)]


def _online(fleet: list[VirtualUplink]) -> int:
    return sum(uplink.delivery.state is State.ONLINE for uplink in fleet)


def test_two_hundred_agents_do_not_stampede_when_the_broker_comes_back() -> None:
    """T16: after hours away they spread over the whole back-off, and all are back within it."""
    time = VirtualTime()
    broker = _Broker(time)
    broker.up = False
    fleet = _fleet(time, broker, 200)
    time.run(3 * _HOUR_MS)
    in_the_last_hour = {second: n for second, n in broker.attempts.items() if second >= 2 * 3600}
    assert max(in_the_last_hour.values()) <= 12
    broker.up = True
    broker.attempts.clear()
    time.run(3 * _HOUR_MS + 301_000)
    assert _online(fleet) == 200
    assert sum(broker.attempts.values()) == 200, "one attempt each"
    assert max(broker.attempts.values()) <= 12


def test_two_hundred_agents_that_lose_the_broker_at_once_come_back_apart() -> None:
    """T16: a restart of the broker is not answered by all in the same second; nor is a mall's power."""
    time = VirtualTime()
    broker = _Broker(time)
    fleet = _fleet(time, broker, 200)
    time.run(100_000)
    assert _online(fleet) == 200
    assert max(broker.attempts.values()) <= 130, "two seconds of jitter at the start"
    broker.attempts.clear()
    for uplink in fleet:
        uplink.tell(Disconnected("broker restarted"))
    time.run(time.now_ms + 9000)
    assert _online(fleet) == 200
    assert max(broker.attempts.values()) <= 50


def test_a_flapping_broker_is_asked_more_and_more_rarely() -> None:
    """T16: connections that last seconds do not reset the back-off; one that lasts does."""
    time = VirtualTime()
    broker = _Broker(time)
    (uplink,) = _fleet(time, broker, 1)
    connected_at = []
    for _ in range(60):
        while uplink.delivery.state is not State.ONLINE:
            time.run(time.now_ms + 1000)
        connected_at.append(time.now_ms)
        time.run(time.now_ms + 5000)
        uplink.tell(Disconnected("flapped"))
    waits = [after - before for before, after in pairwise(connected_at)]
    assert sum(waits[-30:]) / 30 > 100_000
    assert max(waits) <= 300_000 + 10_000
    while uplink.delivery.state is not State.ONLINE:
        time.run(time.now_ms + 1000)
    time.run(time.now_ms + 100_000)
    uplink.tell(Disconnected("once"))
    time.run(time.now_ms + 9000)
    assert uplink.delivery.state is State.ONLINE
