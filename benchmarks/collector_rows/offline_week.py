"""A register without a network for seven days, then with one: the real delivery and spool in virtual time."""

import tracemalloc
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random

from benchmarks.setting import Outcome, Setting
from benchmarks.verdict import Figure, Goal
from edge_agent.adapters.uplink.spool_sqlite import SqliteSpool
from edge_agent.uplink.delivery import Delivery
from edge_agent.uplink.delivery_events import ReceiptCame, SpoolChanged, Tick
from edge_agent.uplink.delivery_policy import DeliveryPolicy
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.link_events import Connected, Disconnected, PubAcked
from edge_agent.uplink.spooled import Entry, Outgoing, Write
from tests.builders.records import START_MS
from tests.builders.spool_messages import KIND_OF, outgoing, receipt
from tests.builders.virtual_uplink import VirtualTime, VirtualUplink

_DAYS = 7
_DAY_MS = 24 * 3_600_000
_PER_DAY = {Lane.WITHDRAWALS: 1, Lane.CONSENTS: 120, Lane.EVENTS: 600, Lane.FRAMES: 120}
"""A till with 300 customers a day (an interaction and a sale each), of whom 120 allow a picture."""
_BYTES = {Lane.WITHDRAWALS: 200, Lane.CONSENTS: 1_000, Lane.EVENTS: 600, Lane.FRAMES: 31_500}
_MAX_PACKET_BYTES = 256 << 10
_CONNECT_MS, _PUBACK_MS, _RECEIPT_MS = 20, 10, 40
_LOOK_EVERY_MS = 100
_LONGEST_DRAIN_MS = _DAY_MS


class _VirtualClock:
    """The register's clocks, driven by the virtual time."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time

    def now_ms(self) -> int:
        return START_MS + self._time.now_ms

    def monotonic_ns(self) -> int:
        return self._time.now_ms * 1_000_000

    def local(self) -> tuple[float, int]:
        return 12.0, 0


class Week:
    """One register, its spool on the disk, a broker that is away for a week."""

    def __init__(self, folder: Path) -> None:
        self._time = VirtualTime()
        self.spool = SqliteSpool(folder / "spool.db", _VirtualClock(self._time))
        self.policy = DeliveryPolicy()
        self._online = False
        self.sent: list[Entry] = []
        self.attempts = 0
        self.most_messages = 0
        self.most_bytes = 0
        self.spooled: Counter[Lane] = Counter()
        self._uplink = VirtualUplink(
            Delivery(self.policy, Random(1).random),
            self.spool,
            self._time,
            connect=self._connect,
            publish=self._publish,
            disconnect=lambda: None,
        )
        self._uplink.tell(Tick())

    def live_offline(self, days: int) -> None:
        """Customers come, evenly mixed, hour by hour."""
        for hour in range(days * 24):
            for lane, per_day in _PER_DAY.items():
                due = (hour + 1) * per_day // 24
                while self.spooled[lane] < due:
                    self._spool(lane)
            self._time.run((hour + 1) * _DAY_MS // 24)

    def reconnect(self) -> int:
        """The network is back; virtual milliseconds until nothing waits any more."""
        self._online = True
        begun = self._time.now_ms
        total = self.spooled.total()
        while self._waiting() and self._time.now_ms - begun < _LONGEST_DRAIN_MS:
            self._time.run(self._time.now_ms + _LOOK_EVERY_MS)
            delivery = self._uplink.delivery
            self.most_messages = max(self.most_messages, delivery.under_way)
            self.most_bytes = max(self.most_bytes, delivery.under_way_bytes)
        assert len(self.sent) <= total, "nothing was sent twice"
        return self._time.now_ms - begun

    def out_of_order(self) -> int:
        """Messages that went out after one of a later lane, or after a younger one of their own."""
        keys = [(entry.lane, entry.position) for entry in self.sent]
        return sum(key < before for before, key in pairwise(keys))

    def lost(self) -> int:
        """Of what was spooled, what was neither delivered nor is there."""
        lanes = self.spool.stats().lanes
        return sum(self.spooled[lane] - lanes[lane].account.stored for lane in Lane)

    def _waiting(self) -> int:
        return self.spooled.total() - len(self.sent) + self._uplink.delivery.under_way

    def _spool(self, lane: Lane) -> None:
        number = self.spooled[lane]
        self.spooled[lane] += 1
        message: Outgoing = outgoing(
            number, KIND_OF[lane], size=_BYTES[lane], at_ms=START_MS + self._time.now_ms
        )
        self.spool.write(Write(messages=(message,)))
        self._uplink.tell(SpoolChanged(lane))

    def _connect(self) -> None:
        self.attempts += 1
        answer = Connected(_MAX_PACKET_BYTES) if self._online else Disconnected("no network")
        self._time.after(_CONNECT_MS, lambda: self._uplink.tell(answer))

    def _publish(self, entry: Entry, message: bytes) -> None:
        assert len(message) == entry.size
        self.sent.append(entry)
        self._time.after(_PUBACK_MS, lambda: self._uplink.tell(PubAcked(entry.message_id)))
        self._time.after(_RECEIPT_MS, lambda: self._uplink.tell(ReceiptCame(receipt(entry))))


def offline_week(setting: Setting) -> Outcome:
    """Deliver a week's messages, and watch what lies in memory meanwhile."""
    outcome = Outcome()
    folder = setting.work_dir / "offline-week"
    folder.mkdir()
    week = Week(folder)
    setting.say("seven virtual days offline")
    week.live_offline(1 if setting.quick else _DAYS)
    attempts = week.attempts
    setting.say(f"{week.spooled.total()} messages wait; the network is back")
    tracemalloc.start()
    drained_ms = week.reconnect()
    python_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    total = week.spooled.total()
    spooled_mb = sum(week.spooled[lane] * _BYTES[lane] for lane in Lane) / 1e6
    outcome.details |= {
        "messages": {lane.label: week.spooled[lane] for lane in Lane},
        "attempts_while_offline": attempts,
        "drained_in_virtual_s": drained_ms / 1000,
        "most_messages_under_way": week.most_messages,
        "window_messages": week.policy.window_count,
        "most_bytes_of_python_objects": python_bytes,
    }
    outcome.figures += [
        Figure(
            "7 virtual days offline, then reconnect: messages not delivered",
            week.lost(),
            "",
            Goal(0),
            f"of {total}, {spooled_mb:.0f} MB; drained in {drained_ms / 1000:.0f} virtual seconds",
        ),
        Figure("  messages out of the order of their lanes", week.out_of_order(), "", Goal(0)),
        Figure(
            "  most bytes under way, of the window's",
            week.most_bytes / week.policy.window_bytes,
            "x",
            Goal(1.0),
            f"{week.most_bytes / 1e3:.0f} KB, {week.most_messages} of {week.policy.window_count} messages",
        ),
        Figure(
            "  most memory that the drain took", python_bytes / 1e6, "MB", None, f"{spooled_mb:.0f} MB waited"
        ),
    ]
    week.spool.close()
    return outcome
