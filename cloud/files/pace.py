"""How fast one register may fetch: a bucket of bytes that fills again. Pure."""

from collections import OrderedDict
from typing import Final

BURST_S: Final = 1.0
"""A register that was quiet may have this many seconds' worth at once."""
REQUEST_BYTES: Final = 1000
"""What a request costs besides the bytes that it gets, so that small ones have a bound too."""
REMEMBERED: Final = 20_000
"""Registers; the one that was quiet for longest is forgotten, and begins with a full bucket."""


class Paces:
    """A bucket for each register.

    Args:
        bytes_per_s: At which it fills; `files.bytes_per_s`.
    """

    def __init__(self, bytes_per_s: int) -> None:
        self._rate = bytes_per_s / 1000
        self._full = bytes_per_s * BURST_S
        self._left: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def wait_ms(self, register: str, now_ms: int) -> int:
        """How long it must wait before it gets anything; 0: not at all."""
        left = self._at(register, now_ms)
        return 0 if left > 0 else int(-left / self._rate) + 1

    def spend(self, register: str, size: int, now_ms: int) -> None:
        """Take out what it got: the bucket may owe, and so the largest piece comes through the smallest."""
        self._left[register] = (self._at(register, now_ms) - size - REQUEST_BYTES, now_ms)
        self._left.move_to_end(register)
        if len(self._left) > REMEMBERED:
            self._left.popitem(last=False)

    def _at(self, register: str, now_ms: int) -> float:
        left, then_ms = self._left.get(register, (self._full, now_ms))
        if now_ms < then_ms:
            return self._full  # the clock was set back
        return min(self._full, left + (now_ms - then_ms) * self._rate)
