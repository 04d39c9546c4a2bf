"""The rules of every spool: what fits, what goes when it is full, what is too old."""

from dataclasses import dataclass
from typing import Final

from edge_agent.uplink.lanes import Lane
from wire_protocol.limits import FRAME_MAX_AGE_MS

FIRST_MS: Final = 1_767_225_600_000
"""2026 began. An earlier time was told by a clock that had lost its battery, and says nothing of an age."""
SEQUENCES_AT_ONCE: Final = 256
"""Sequence numbers that one write reserves; a crash skips the rest of them."""
_RANK_BITS: Final = 48


@dataclass(frozen=True, slots=True)
class SpoolBounds:
    """How much is kept."""

    max_bytes: int = 512 << 20
    """Of messages; beyond it frames thin out evenly."""
    reserve_bytes: int = 64 << 20
    """What interactions and outcomes may take beyond that; then they wait in the journal."""
    max_age_ms: int = FRAME_MAX_AGE_MS


def thinning_rank(arrival: int) -> int:
    """The order in which frames give way, the highest first: the bits of the arrival number, mirrored.

    Frames with a rank below any bound lie evenly over their arrivals (a van der Corput sequence): whatever
    the size of the spool, what remains of a long outage is every second, fourth … frame, never only its
    beginning or its end. The rank of a rank is the arrival number again.
    """
    return int(f"{arrival & ((1 << _RANK_BITS) - 1):0{_RANK_BITS}b}"[::-1], 2)


def has_room(lane: Lane, bounds: SpoolBounds, small_bytes: int, size: int) -> bool:
    """Whether a message may be spooled, if frames give way for it.

    Args:
        lane: Of the message; only interactions and outcomes are ever turned away, as the journal has them.
        bounds: Of the spool.
        small_bytes: Of all lanes but the frames.
        size: Of the message.
    """
    return lane is not Lane.EVENTS or small_bytes + size <= bounds.max_bytes + bounds.reserve_bytes


def first_sequence(now_ms: int, known: int) -> int:
    """Where a new file's sequence numbers begin.

    A register sends less than one message a millisecond, so the clock is above all that a lost file used;
    `known` is what could be read of it, for clocks that went back.
    """
    return max(now_ms, known)


@dataclass(slots=True)
class AgeGuard:
    """When the register's clock may be believed about ages.

    A clock that jumps years ahead and is set right minutes later must not cost a month of frames: after a
    start and after a step nothing expires for an hour.
    """

    settle_ms: int = 3_600_000
    step_ms: int = 600_000
    _offset_ms: int | None = None
    _since_ms: int = 0

    def expires_before(self, now_ms: int, monotonic_ms: int, max_age_ms: int) -> int | None:
        """What was captured before this is too old; None while the clock cannot be believed."""
        offset_ms = now_ms - monotonic_ms
        if self._offset_ms is None or abs(offset_ms - self._offset_ms) > self.step_ms:
            self._since_ms = monotonic_ms
        self._offset_ms = offset_ms
        if monotonic_ms - self._since_ms < self.settle_ms:
            return None
        return now_ms - max_age_ms
