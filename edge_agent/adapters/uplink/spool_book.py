"""The spool's file with its sums: what every change does to messages, counters and bytes at once."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from edge_agent.adapters.uplink.spool_file import Row, SpoolFile
from edge_agent.uplink.accounting import DropReason, Fate, captured, ended
from edge_agent.uplink.errors import no_room
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.spool_rules import SpoolBounds, has_room
from edge_agent.uplink.spooled import Ending, Outgoing, Write


@dataclass(slots=True)
class Change:
    """A transaction under way: what it adds to the sums once it is durable."""

    added: Counter[str]
    bytes_of: dict[Lane, int]
    gone: set[int] = field(default_factory=set)
    """Positions of messages that it deleted."""


class SpoolBook:
    """An open file, and the sums that are too costly to ask it for at every write.

    Args:
        file: Open; nobody else writes to it.
        bounds: How much is kept.
        positions: The highest position and arrival number that this process gave out before.
    """

    def __init__(self, file: SpoolFile, bounds: SpoolBounds, positions: tuple[int, int] = (0, 0)) -> None:
        self.file = file
        self._bounds = bounds
        position, arrival = file.newest()
        self._position, self._arrival = max(position, positions[0]), max(arrival, positions[1])
        self.settings = file.settings()
        self.counters = file.counters()
        self._bytes_of = {lane: size for lane, (_, size, _) in file.lanes().items()}

    @property
    def positions(self) -> tuple[int, int]:
        """The highest position and arrival number so far."""
        return self._position, self._arrival

    @contextmanager
    def change(self, counted: Mapping[str, int]) -> Iterator[Change]:
        """A transaction; its sums hold from its end on."""
        change = Change(Counter(counted), dict(self._bytes_of))
        with self.file.transaction():
            yield change
            self.file.count(change.added)
        self._bytes_of = change.bytes_of
        self.counters.update(change.added)

    def write(self, write: Write, counted: Mapping[str, int], now_ms: int) -> tuple[bool, ...]:
        """As `Spool.write`."""
        with self.change(counted) as change:
            change.added.update(write.count)
            for ending in write.endings:
                self._end(change, ending)
            for consent in write.erase:
                self.file.end_consent(consent, now_ms)
                self.remove(change, self.file.of_consent(consent), Fate.GONE)
            places = [self._put(change, outgoing) for outgoing in write.messages]
            self._thin_out(change)
            for name, value in write.settings.items():
                self.file.save_setting(name, value)
        self.settings.update(write.settings)
        return tuple(place is not None and place not in change.gone for place in places)

    def remove(
        self, change: Change, rows: Sequence[Row], fate: Fate, reason: DropReason | None = None
    ) -> None:
        """Delete messages and count their fate."""
        self.file.remove(rows)
        for row in rows:
            change.gone.add(row.position)
            change.added[ended(row.lane, fate, reason)] += 1
            change.bytes_of[row.lane] -= row.size

    def _end(self, change: Change, ending: Ending) -> None:
        self.remove(change, self.file.of_id(ending.message_id), ending.fate, ending.reason)

    def _put(self, change: Change, outgoing: Outgoing) -> int | None:
        """The position of a message that is in the spool now."""
        lane, size = outgoing.lane, len(outgoing.message)
        known = self.file.of_id(outgoing.message_id)
        if known:
            return known[0].position
        if outgoing.consent is not None and self.file.has_ended(outgoing.consent):
            change.added.update((captured(lane), ended(lane, Fate.GONE)))
            return None
        small = sum(change.bytes_of.values()) - change.bytes_of.get(Lane.FRAMES, 0)
        if not has_room(lane, self._bounds, small, size):
            raise no_room(small)
        self._position += 1
        self._arrival += lane is Lane.FRAMES
        self.file.add(self._position, outgoing, self._arrival if lane is Lane.FRAMES else None)
        change.bytes_of[lane] = change.bytes_of.get(lane, 0) + size
        change.added[captured(lane)] += 1
        return self._position

    def _thin_out(self, change: Change) -> None:
        while sum(change.bytes_of.values()) > self._bounds.max_bytes and change.bytes_of.get(Lane.FRAMES):
            self.remove(change, self.file.first_to_go(1), Fate.DROPPED, DropReason.FULL)
