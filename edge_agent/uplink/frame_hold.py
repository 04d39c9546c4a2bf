"""Pictures that wait in memory for the customer's answer: few, for seconds, and overwritten at the end.

The pixels are copied, because the camera's own picture is read by others. A copy is taken out exactly once:
for sealing (whoever takes it overwrites it) or for nothing (it is overwritten here). There is no other way
out, and no way to a disk.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

MAX_HELD: Final = 4
"""One till serves one customer at a time; some more only while answers and sealing overlap."""
MAX_HELD_BYTES: Final = 32 << 20


def overwrite(pixels: NDArray[np.uint8]) -> None:
    """Leave nothing of a picture in its memory."""
    pixels.fill(0)


@dataclass(frozen=True, slots=True, eq=False)
class HeldFrame:
    """One picture and what is known of it.

    Args:
        pixels: BGR uint8 [H, W, 3], this register's own copy.
        captured_at_ms: By the wall clock.
        until_ns: By the monotonic clock; the answer must be there before.
        first: The flavour in first place, for quotas.
        margin: Score of the third less that of the fourth flavour; None with fewer than four.
    """

    pixels: NDArray[np.uint8]
    captured_at_ms: int
    until_ns: int
    first: str | None
    margin: float | None

    def __repr__(self) -> str:
        """Without pixels."""
        height, width = self.pixels.shape[:2]
        return f"HeldFrame({width}x{height})"


class FrameHold:
    """The pictures that wait, by interaction; for one thread."""

    def __init__(self) -> None:
        self._held: OrderedDict[UUID, HeldFrame] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, interaction_id: UUID) -> bool:
        return interaction_id in self._held

    def put(self, interaction_id: UUID, frame: HeldFrame) -> tuple[UUID, ...]:
        """Hold a picture; returns the interactions whose pictures had to go for it, already overwritten."""
        self._held[interaction_id] = frame
        gone = []
        while len(self._held) > MAX_HELD or (len(self._held) > 1 and self._bytes() > MAX_HELD_BYTES):
            oldest = next(iter(self._held))
            self.drop(oldest)
            gone.append(oldest)
        return tuple(gone)

    def take(self, interaction_id: UUID) -> HeldFrame | None:
        """Hand the picture over; the taker overwrites it. None when it is not here (any more)."""
        return self._held.pop(interaction_id, None)

    def wait_until(self, interaction_id: UUID, until_ns: int) -> bool:
        """Let a picture wait longer, never shorter; whether it is here."""
        frame = self._held.get(interaction_id)
        if frame is None:
            return False
        self._held[interaction_id] = replace(frame, until_ns=max(frame.until_ns, until_ns))
        return True

    def drop(self, interaction_id: UUID) -> bool:
        """Overwrite and forget; whether there was one."""
        frame = self._held.pop(interaction_id, None)
        if frame is None:
            return False
        overwrite(frame.pixels)
        return True

    def expire(self, now_ns: int) -> tuple[UUID, ...]:
        """Drop those whose time for an answer is over; returns their interactions."""
        over = tuple(key for key, frame in self._held.items() if now_ns >= frame.until_ns)
        for interaction_id in over:
            self.drop(interaction_id)
        return over

    def clear(self) -> tuple[UUID, ...]:
        """Drop all; the agent stops."""
        gone = tuple(self._held)
        for interaction_id in gone:
            self.drop(interaction_id)
        return gone

    def _bytes(self) -> int:
        return sum(frame.pixels.nbytes for frame in self._held.values())
