"""The register's disk: the real in-memory spool, refusing where the seed says so, watched at every write."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from edge_agent.uplink.accounting import DropReason, Fate, captured, ended
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.memory_spool import MemorySpool
from edge_agent.uplink.ports import SpooledBlank
from edge_agent.uplink.spooled import Entry, SpoolStats, Write
from tests.simulation.world.faults import Kind, Trouble
from tests.simulation.world.referee import Referee
from wire_protocol.topics import Identity

T = TypeVar("T")

CAPTURED_NAMES = {lane: captured(lane) for lane in Lane}
FATE_NAMES = {
    lane: (
        *(ended(lane, fate) for fate in Fate if fate is not Fate.DROPPED),
        *(ended(lane, Fate.DROPPED, reason) for reason in DropReason),
    )
    for lane in Lane
}
"""The counters that the equation is made of; `accounting.account` reads the same, more slowly."""


class FaultyDisk:
    """`edge_agent.uplink.ports.Spool` over `MemorySpool`.

    A refused call did nothing, as the port says. After each call that writes, the referee compares what the
    spool holds with what it was told.
    """

    def __init__(
        self,
        inner: MemorySpool,
        identity: Identity,
        trouble: Trouble,
        referee: Referee,
        crash_point: Callable[[], None],
    ) -> None:
        self.inner = inner
        self._identity = identity
        self._trouble = trouble
        self._referee = referee
        self._crash_point = crash_point

    def next_sequence(self) -> int:
        return self._writing(self.inner.next_sequence)

    def write(self, write: Write) -> tuple[bool, ...]:
        return self._writing(lambda: self.inner.write(write), write)

    def count(self, name: str, by: int = 1) -> None:
        self.inner.count(name, by)

    def flush(self) -> None:
        self._writing(self.inner.flush)

    def candidates(self, lane: Lane, after: int, limit: int) -> tuple[Entry, ...]:
        return self.inner.candidates(lane, after, limit)

    def load(self, message_id: bytes) -> bytes | None:
        return self.inner.load(message_id)

    def set_aside(self, message_id: bytes, reason: str) -> None:
        self._writing(lambda: self.inner.set_aside(message_id, reason))

    def release(self, at_most_bytes: int | None = None) -> int:
        return self._writing(lambda: self.inner.release(at_most_bytes))

    def expire(self, captured_before_ms: int) -> int:
        return self._writing(lambda: self.inner.expire(captured_before_ms))

    def purge(self, lane: Lane, *, only_set_aside: bool = False) -> int:
        return self._writing(lambda: self.inner.purge(lane, only_set_aside=only_set_aside))

    def setting(self, name: str) -> str | None:
        return self.inner.setting(name)

    def add_blanks(self, blanks: Sequence[SpooledBlank]) -> int:
        return self._writing(lambda: self.inner.add_blanks(blanks))

    def take_blank(self, now_ms: int) -> SpooledBlank | None:
        return self._writing(lambda: self.inner.take_blank(now_ms))

    def blanks_left(self, now_ms: int) -> int:
        return self.inner.blanks_left(now_ms)

    def stats(self) -> SpoolStats:
        return self._writing(self.inner.stats)

    def close(self) -> None:
        self.inner.close()

    def power_cut(self) -> None:
        """What a crash leaves."""
        self.inner.crash()
        self.look(Write())

    def look(self, write: Write) -> None:
        """Compare what is there with what must be."""
        held: dict[bytes, Any] = {key: kept.outgoing for key, kept in self.inner._messages.items()}
        self._referee.was_written(self._identity, write, held)
        in_lane = dict.fromkeys(Lane, 0)
        for outgoing in held.values():
            in_lane[outgoing.lane] += 1
        for lane in Lane:
            lost = self._counted(CAPTURED_NAMES[lane]) - self._counted(*FATE_NAMES[lane]) - in_lane[lane]
            self._referee.adds_up(self._identity, lane, lost)

    def _counted(self, *names: str) -> int:
        return sum(self.inner._counters.get(name, 0) for name in names)

    def _writing(self, call: Callable[[], T], write: Write | None = None) -> T:
        who = self._identity.common_name
        if self._trouble.strikes(Kind.DISK_FULL, who):
            raise SpoolError("no space left on device", remedy="Make room.")
        if self._trouble.strikes(Kind.DISK_EIO, who, share=0.5):
            raise SpoolError("input/output error", remedy="Replace the disk.")
        result = call()
        if write is not None:
            self.look(write)
            self._crash_point()
        return result
