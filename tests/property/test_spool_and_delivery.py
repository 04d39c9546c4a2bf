"""Spool and delivery together, under everything that can happen to them, held against a plain ledger."""

import shutil
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge_agent.adapters.uplink.spool_sqlite import SqliteSpool
from edge_agent.uplink.accounting import DropReason, Fate, never_spooled
from edge_agent.uplink.connection import State
from edge_agent.uplink.delivery import Delivery
from edge_agent.uplink.delivery_events import EraseCame, ReceiptCame, SpoolChanged, Tick
from edge_agent.uplink.delivery_policy import DeliveryPolicy
from edge_agent.uplink.errors import SpoolError, SpoolFullError
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.link_events import BrokerRefused, Connected, Disconnected, PubAcked
from edge_agent.uplink.memory_spool import MemorySpool
from edge_agent.uplink.ports import Spool
from edge_agent.uplink.spool_rules import SpoolBounds
from edge_agent.uplink.spooled import Entry, Outgoing, Write
from tests.builders.faulty_disk import FULL, faulty_connection
from tests.builders.records import START_MS, StandingClock
from tests.builders.spool_messages import outgoing, receipt
from tests.builders.virtual_uplink import VirtualTime, VirtualUplink
from wire_protocol.messages import Verdict
from wire_protocol.reasons import Reason
from wire_protocol.topics import Up

_BOUNDS = SpoolBounds(max_bytes=12_000, reserve_bytes=1000)
_POLICY = DeliveryPolicy(window_count=6, frames_count=3, per_s=1000, start_jitter_ms=0)
_KINDS = (Up.WITHDRAWAL, Up.CONSENT, Up.INTERACTION, Up.OUTCOME, Up.FRAME)
_FINAL = st.sampled_from([Verdict.STORED, Verdict.REFUSED, Verdict.GONE])


class SpoolAndDelivery(RuleBasedStateMachine):
    """One register; the ledger says of each message what may have become of it."""

    def __init__(self) -> None:
        super().__init__()
        self.time = VirtualTime()
        self.clock = StandingClock()
        self.spool = self.make_spool()
        self.number = 0
        self.put: dict[bytes, Outgoing] = {}
        self.final: dict[bytes, Verdict] = {}
        """The first final receipt that the collector sent for it."""
        self.erased: set[bytes] = set()
        self.captured: Counter[Lane] = Counter()
        """What is durable; `pending` is what a crash would forget."""
        self.pending: Counter[Lane] = Counter()
        self.wire: list[Entry] = []
        """Published and not answered, on this connection."""
        self.connecting = 0

    # ---- the two spools differ in these ------------------------------------------------------------------

    def make_spool(self) -> Spool:
        return MemorySpool(self.clock.now_ms, _BOUNDS)

    def crash_spool(self) -> None:
        assert isinstance(self.spool, MemorySpool)
        self.spool.crash()

    def break_disk(self, *, broken: bool) -> None:
        assert isinstance(self.spool, MemorySpool)
        self.spool.fault = SpoolError("the disk is full") if broken else None

    # ---- what happens ------------------------------------------------------------------------------------

    @initialize()
    def start(self) -> None:
        self.broken = False
        self.uplink = VirtualUplink(
            Delivery(_POLICY, Random(0).random),
            self.spool,
            self.time,
            connect=self._connect,
            publish=self._publish,
            disconnect=self._disconnect,
        )
        self.uplink.tell(Tick())

    def _connect(self) -> None:
        self.connecting += 1

    def _disconnect(self) -> None:
        self.connecting -= 1
        self.time.after(0, partial(self.uplink.tell, Disconnected("too slow")))

    def _publish(self, entry: Entry, message: bytes) -> None:
        assert self.uplink.delivery.state is State.ONLINE
        assert message == self.put[entry.message_id].message
        assert entry.consent not in self.erased, "nothing of an ended consent is sent"
        self.wire.append(entry)

    @rule(
        kind=st.sampled_from([*_KINDS, Up.FRAME]),
        size=st.integers(100, 1500),
        count=st.integers(1, 5),
        dead_clock=st.booleans(),
    )
    def some_are_spooled(self, kind: Up, size: int, count: int, dead_clock: bool) -> None:  # noqa: FBT001
        for _ in range(count):
            self.number += 1
            at_ms = 5 if dead_clock else self.clock.now_ms()
            sent = outgoing(self.number, kind, size=size, at_ms=at_ms)
            self._write(Write(messages=(sent,), settings={"cursor": str(self.number)}), sent)

    @rule()
    def spool_the_same_again(self) -> None:
        spooled = [entry for lane in Lane for entry in self.spool.candidates(lane, 0, 1)]
        for entry in spooled:
            self._write(Write(messages=(self.put[entry.message_id],)))

    @rule()
    def somebody_says_no(self) -> None:
        for name, by in never_spooled(Lane.FRAMES, Fate.WITHOUT_CONSENT).items():
            self.spool.count(name, by)
        self.pending[Lane.FRAMES] += 1

    @precondition(lambda self: self.put)
    @rule(choice=st.integers(0, 10_000), local=st.booleans())
    def a_consent_ends(self, choice: int, local: bool) -> None:  # noqa: FBT001
        frames = [one.consent for one in self.put.values() if one.consent is not None]
        if not frames or self.broken:
            return
        consent = frames[choice % len(frames)]
        self.erased.add(consent)
        if local:
            self.number += 1
            withdrawal = outgoing(self.number, Up.WITHDRAWAL)
            self._write(Write(messages=(withdrawal,), erase=(consent,)), withdrawal)
        self.uplink.tell(EraseCame((consent,)))
        self._flushed()

    @rule(frame=st.integers(1, 200))
    def a_frame_comes_after_its_consent_ended(self, frame: int) -> None:
        if self.erased:
            self.number += 1
            late = outgoing(self.number, consent=sorted(self.erased)[frame % len(self.erased)])
            self._write(Write(messages=(late,)), late)

    @precondition(lambda self: self.uplink.delivery.state is not State.ONLINE)
    @rule(max_packet_bytes=st.sampled_from([900, 100_000, 100_000, 100_000]))
    def the_broker_accepts(self, max_packet_bytes: int) -> None:
        while not self.connecting:
            self.time_passes(20_000)
        self.connecting -= 1
        self.uplink.tell(Connected(max_packet_bytes))

    @precondition(lambda self: self.connecting or self.uplink.delivery.state is State.ONLINE)
    @rule()
    def the_connection_ends(self) -> None:
        if self.uplink.delivery.state is not State.ONLINE:
            self.connecting -= 1
        self.wire.clear()
        self.uplink.tell(Disconnected("test"))

    @precondition(lambda self: self.wire)
    @rule(choice=st.integers(0, 100), verdict=_FINAL, times=st.integers(1, 2))
    def the_collector_answers(self, choice: int, verdict: Verdict, times: int) -> None:
        entry = self.wire[choice % len(self.wire)]
        verdict = self.final.setdefault(entry.message_id, verdict)
        reason = Reason.TOO_OLD if verdict is Verdict.REFUSED else None
        for _ in range(times):
            self.uplink.tell(ReceiptCame(receipt(entry, verdict, reason=reason)))
        self.wire.remove(entry)
        if not self.broken:
            self._flushed()

    @precondition(lambda self: self.wire)
    @rule()
    def the_broker_acknowledges(self) -> None:
        """T17: all of it; nothing follows from that."""
        before = self.uplink.delivery.under_way
        for entry in self.wire:
            self.uplink.tell(PubAcked(entry.message_id))
        assert self.uplink.delivery.under_way >= before

    @precondition(lambda self: self.wire)
    @rule(verdict=_FINAL)
    def receipts_name_other_bytes(self, verdict: Verdict) -> None:
        """T4: for all of it; nothing follows from that either."""
        before = self.uplink.delivery.under_way
        reason = Reason.CONFLICT if verdict is Verdict.REFUSED else None
        for entry in list(self.wire):
            self.uplink.tell(ReceiptCame(receipt(entry, verdict, sha256=bytes(32), reason=reason)))
        assert self.uplink.delivery.under_way >= before

    @precondition(lambda self: self.wire)
    @rule(choice=st.integers(0, 100), event=st.integers(0, 2))
    def something_else_is_answered(self, choice: int, event: int) -> None:
        """None of this ends a message."""
        entry = self.wire[choice % len(self.wire)]
        answers: list[Any] = [
            BrokerRefused(entry.message_id, 0x10),
            BrokerRefused(entry.message_id, 0x99),
            ReceiptCame(receipt(entry, Verdict.RETRY, retry_after_ms=5000)),
        ]
        self.uplink.tell(answers[event])

    @rule(ms=st.sampled_from([10, 5000, 60_000, 700_000]))
    def time_passes(self, ms: int) -> None:
        self.clock.advance(ms)
        self.time.run(self.time.now_ms + ms)

    @precondition(lambda self: not self.broken)
    @rule(days=st.integers(-4000, 40))
    def frames_expire(self, days: int) -> None:
        self.spool.expire(START_MS + days * 1000)

    @precondition(lambda self: not self.broken)
    @rule(lane=st.sampled_from([*Lane]))
    def somebody_releases_and_purges(self, lane: Lane) -> None:
        self.spool.purge(lane, only_set_aside=True)
        self.spool.release()

    @rule()
    def the_disk_breaks_or_is_back(self) -> None:
        self.broken = not self.broken
        self.break_disk(broken=self.broken)

    @rule()
    def the_power_is_cut(self) -> None:
        self.uplink.stopped = True
        self.pending.clear()
        self.wire.clear()
        self.connecting = 0
        self.crash_spool()
        self.start()

    # ---- the ledger --------------------------------------------------------------------------------------

    def _write(self, write: Write, new: Outgoing | None = None) -> None:
        try:
            self.spool.write(write)
        except SpoolFullError:
            assert new is not None
            assert new.lane is Lane.EVENTS
            return
        except SpoolError:
            assert self.broken
            return
        self._flushed()
        if new is not None:
            self.put[new.message_id] = new
            self.captured[new.lane] += 1
            self.uplink.tell(SpoolChanged(new.lane))

    def _flushed(self) -> None:
        """A write took along what was counted, if there was one; `stats` makes sure."""
        if not self.broken:
            self.spool.flush()
            self.captured.update(self.pending)
            self.pending.clear()

    @invariant()
    def the_accounts_add_up(self) -> None:
        """T4: captured = stored + refused + gone + dropped(reason) + spooled + without consent."""
        if self.broken:
            return
        self._flushed()
        for lane, stats in self.spool.stats().lanes.items():
            account = stats.account
            assert account.lost == 0, account
            assert account.captured == self.captured[lane]
            of_lane = [verdict for one, verdict in self.final.items() if self.put[one].lane is lane]
            assert account.stored <= of_lane.count(Verdict.STORED), "stored only by a receipt"
            assert account.refused <= of_lane.count(Verdict.REFUSED)
            if lane is not Lane.FRAMES:
                assert set(account.dropped) <= {DropReason.PURGED}, "small lanes are never dropped"
            assert stats.size_bytes <= _BOUNDS.max_bytes or lane is not Lane.FRAMES

    @invariant()
    def the_window_is_bounded(self) -> None:
        assert self.uplink.delivery.under_way <= _POLICY.window_count

    @invariant()
    def what_is_spooled_is_whole(self) -> None:
        """T13: every candidate is one that was put, with its bytes, and no frame of an ended consent."""
        if self.broken:
            return
        for lane in Lane:
            for entry in self.spool.candidates(lane, 0, 1000):
                assert self.spool.load(entry.message_id) == self.put[entry.message_id].message
                assert entry.consent not in self.erased

    def teardown(self) -> None:
        if self.broken:
            self.break_disk(broken=False)
        self.spool.close()


class SpoolOnDiskAndDelivery(SpoolAndDelivery):
    """The same over the file."""

    def make_spool(self) -> Spool:
        place = "/dev/shm" if Path("/dev/shm").is_dir() else None
        self.folder = Path(tempfile.mkdtemp(dir=place))
        self.disk = faulty_connection()
        return self._open()

    def _open(self) -> Spool:
        return SqliteSpool(self.folder / "spool.db", self.clock, _BOUNDS, self.disk, reserve_bytes=4096)

    def crash_spool(self) -> None:
        assert isinstance(self.spool, SqliteSpool)
        if self.broken:
            self.broken = False
            self.break_disk(broken=False)
        self.spool._close()
        self.spool = self._open()

    def break_disk(self, *, broken: bool) -> None:
        self.disk.at = "BEGIN"
        self.disk.fault = FULL if broken else None

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.folder)


SpoolAndDelivery.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
SpoolOnDiskAndDelivery.TestCase.settings = settings(max_examples=12, stateful_step_count=40, deadline=None)
TestSpoolInMemory = SpoolAndDelivery.TestCase
TestSpoolOnDisk = SpoolOnDiskAndDelivery.TestCase
