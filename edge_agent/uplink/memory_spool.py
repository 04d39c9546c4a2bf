"""A spool in memory: for simulations and tests. Held to the same contract as the real one."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from edge_agent.uplink.accounting import DropReason, Fate, account, captured, ended
from edge_agent.uplink.errors import SpoolError, no_room
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.ports import SpooledBlank
from edge_agent.uplink.spool_rules import (
    FIRST_MS,
    SEQUENCES_AT_ONCE,
    SpoolBounds,
    first_sequence,
    has_room,
    thinning_rank,
)
from edge_agent.uplink.spooled import Entry, LaneStats, Outgoing, SpoolStats, Write


@dataclass(frozen=True, slots=True)
class _Kept:
    position: int
    rank: int
    outgoing: Outgoing
    aside: str | None = None


class MemorySpool:
    """Everything in dictionaries; `crash` forgets what a power cut would.

    Args:
        now_ms: The register's clock.
        bounds: How much is kept.

    Attributes:
        fault: While it is set, everything that would write raises it: a disk that is full or broken.
        loaded_bytes: How many bytes `load` gave out, for tests of who holds how much.
    """

    def __init__(self, now_ms: Callable[[], int], bounds: SpoolBounds | None = None) -> None:
        self._now_ms = now_ms
        self._bounds = SpoolBounds() if bounds is None else bounds
        self._messages: dict[bytes, _Kept] = {}
        self._bytes_of: Counter[Lane] = Counter()
        self._ended: set[bytes] = set()
        self._blanks: dict[bytes, tuple[SpooledBlank, bool]] = {}
        self._settings: dict[str, str] = {}
        self._counters: Counter[str] = Counter()
        self._counted: Counter[str] = Counter()
        self._position = self._arrival = 0
        self._sequence = self._reserved = first_sequence(now_ms(), 0)
        self.fault: SpoolError | None = None
        self.loaded_bytes = 0

    def crash(self) -> None:
        """What a power cut and a restart leave: all that was durable, and nothing else."""
        self._counted.clear()
        self._sequence = self._reserved
        self.fault = None

    def next_sequence(self) -> int:
        """As `Spool.next_sequence`."""
        if self._sequence >= self._reserved:
            self._disk()
            self._reserved = self._sequence + SEQUENCES_AT_ONCE
        self._sequence += 1
        return self._sequence - 1

    def write(self, write: Write) -> tuple[bool, ...]:
        """As `Spool.write`."""
        self._disk()
        self._check_room(write)
        self._counters.update(self._counted)
        self._counted.clear()
        self._counters.update(write.count)
        self._settings.update(write.settings)
        for ending in write.endings:
            self._remove((ending.message_id,), ending.fate, ending.reason)
        self._ended.update(write.erase)
        if write.erase:
            of_ended = [kept for kept in self._messages.values() if kept.outgoing.consent in write.erase]
            self._remove((kept.outgoing.message_id for kept in of_ended), Fate.GONE)
        for outgoing in write.messages:
            self._put(outgoing)
        self._thin_out()
        return tuple(outgoing.message_id in self._messages for outgoing in write.messages)

    def count(self, name: str, by: int = 1) -> None:
        """As `Spool.count`."""
        self._counted[name] += by

    def flush(self) -> None:
        """As `Spool.flush`."""
        if self._counted:
            self.write(Write())

    def candidates(self, lane: Lane, after: int, limit: int) -> tuple[Entry, ...]:
        """As `Spool.candidates`."""
        found = (
            Entry(kept.position, one.message_id, one.kind, len(one.message), one.sha256, one.consent)
            for kept in self._messages.values()
            if kept.position > after and kept.aside is None and (one := kept.outgoing).lane is lane
        )
        return tuple(islice(found, limit))

    def load(self, message_id: bytes) -> bytes | None:
        """As `Spool.load`."""
        kept = self._messages.get(message_id)
        if kept is None:
            return None
        self.loaded_bytes += len(kept.outgoing.message)
        return kept.outgoing.message

    def set_aside(self, message_id: bytes, reason: str) -> None:
        """As `Spool.set_aside`."""
        self._disk()
        if message_id in self._messages:
            self._messages[message_id] = replace(self._messages[message_id], aside=reason)

    def release(self, at_most_bytes: int | None = None) -> int:
        """As `Spool.release`."""
        self._disk()
        released = [
            message_id
            for message_id, kept in self._messages.items()
            if kept.aside is not None
            and (at_most_bytes is None or len(kept.outgoing.message) <= at_most_bytes)
        ]
        for message_id in released:
            self._messages[message_id] = replace(self._messages[message_id], aside=None)
        return len(released)

    def expire(self, captured_before_ms: int) -> int:
        """As `Spool.expire`."""
        self._disk()
        old = [
            message_id
            for message_id, kept in self._messages.items()
            if kept.outgoing.lane is Lane.FRAMES and FIRST_MS <= kept.outgoing.at_ms < captured_before_ms
        ]
        return self._remove(old, Fate.DROPPED, DropReason.TOO_OLD)

    def purge(self, lane: Lane, *, only_set_aside: bool = False) -> int:
        """As `Spool.purge`."""
        self._disk()
        found = [
            message_id
            for message_id, kept in self._messages.items()
            if kept.outgoing.lane is lane and not (only_set_aside and kept.aside is None)
        ]
        return self._remove(found, Fate.DROPPED, DropReason.PURGED)

    def setting(self, name: str) -> str | None:
        """As `Spool.setting`."""
        return self._settings.get(name)

    def add_blanks(self, blanks: Sequence[SpooledBlank]) -> int:
        """As `Spool.add_blanks`."""
        self._disk()
        before = len(self._blanks)
        for blank in blanks:
            self._blanks.setdefault(blank.blank, (blank, False))
        return len(self._blanks) - before

    def take_blank(self, now_ms: int) -> SpooledBlank | None:
        """As `Spool.take_blank`."""
        self._disk()
        usable = self._usable(now_ms)
        if not usable:
            return None
        taken = min(usable, key=lambda blank: (blank.usable_until_ms, blank.blank))
        self._blanks[taken.blank] = (taken, True)
        return taken

    def blanks_left(self, now_ms: int) -> int:
        """As `Spool.blanks_left`."""
        return len(self._usable(now_ms))

    def stats(self) -> SpoolStats:
        """As `Spool.stats`."""
        self.flush()
        stats = {lane: self._lane_stats(lane) for lane in Lane}
        used = sum(lane.size_bytes for lane in stats.values())
        return SpoolStats(stats, used, len(self._usable(0)), self._counters["damaged_files"])

    def close(self) -> None:
        """As `Spool.close`."""
        if self.fault is None:
            self.flush()

    def _disk(self) -> None:
        if self.fault is not None:
            raise self.fault

    def _check_room(self, write: Write) -> None:
        """Before anything is changed, as nothing can be rolled back here."""
        leaving = {ending.message_id for ending in write.endings} & self._messages.keys()
        small = self._bytes_of.total() - self._bytes_of[Lane.FRAMES]
        for message_id in leaving:
            outgoing = self._messages[message_id].outgoing
            small -= len(outgoing.message) if outgoing.lane is not Lane.FRAMES else 0
        for outgoing in write.messages:
            size = len(outgoing.message)
            if outgoing.message_id in self._messages and outgoing.message_id not in leaving:
                continue
            if not has_room(outgoing.lane, self._bounds, small, size):
                raise no_room(small)
            small += size if outgoing.lane is not Lane.FRAMES else 0

    def _put(self, outgoing: Outgoing) -> None:
        if outgoing.message_id in self._messages:
            return
        self._counters[captured(outgoing.lane)] += 1
        if outgoing.consent in self._ended:
            self._counters[ended(outgoing.lane, Fate.GONE)] += 1
            return
        self._position += 1
        self._arrival += outgoing.lane is Lane.FRAMES
        self._messages[outgoing.message_id] = _Kept(self._position, thinning_rank(self._arrival), outgoing)
        self._bytes_of[outgoing.lane] += len(outgoing.message)

    def _thin_out(self) -> None:
        while self._bytes_of.total() > self._bounds.max_bytes and self._bytes_of[Lane.FRAMES]:
            frames = (kept for kept in self._messages.values() if kept.outgoing.lane is Lane.FRAMES)
            first = max(frames, key=lambda kept: kept.rank)
            self._remove((first.outgoing.message_id,), Fate.DROPPED, DropReason.FULL)

    def _remove(self, message_ids: Iterable[bytes], fate: Fate, reason: DropReason | None = None) -> int:
        removed = [kept for one in message_ids if (kept := self._messages.pop(one, None)) is not None]
        for kept in removed:
            self._counters[ended(kept.outgoing.lane, fate, reason)] += 1
            self._bytes_of[kept.outgoing.lane] -= len(kept.outgoing.message)
        return len(removed)

    def _usable(self, now_ms: int) -> list[SpooledBlank]:
        return [
            blank for blank, used in self._blanks.values() if not used and blank.usable_until_ms >= now_ms
        ]

    def _lane_stats(self, lane: Lane) -> LaneStats:
        of_lane = [kept for kept in self._messages.values() if kept.outgoing.lane is lane]
        return LaneStats(
            account=account(lane, self._counters, len(of_lane)),
            size_bytes=self._bytes_of[lane],
            oldest_at_ms=min((kept.outgoing.at_ms for kept in of_lane), default=None),
            set_aside=Counter(kept.aside for kept in of_lane if kept.aside is not None),
        )
