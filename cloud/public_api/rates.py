"""How many requests a minute somebody may send: a moving window for each, in bounded memory. Pure.

The window is estimated of two counters, as if the last whole minute's requests had been spread evenly. So a
key costs two numbers, whatever its limit; who is quiet longest is forgotten first. The limiters of libraries
keep every request's instant, or a key for ever.
"""

from collections import OrderedDict
from dataclasses import dataclass
from math import ceil
from typing import Final

WINDOW_MS: Final = 60_000
KEYS_MAX: Final = 50_000
"""Callers who are remembered; one costs about 300 bytes."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Where somebody stands.

    Attributes:
        limit: Requests a minute.
        remaining: That are left now.
        wait_ms: 0 where this request was counted; else it was not, and after so long one is taken again.
        reset_ms: Until the window begins anew.
    """

    limit: int
    remaining: int
    wait_ms: int
    reset_ms: int


@dataclass(slots=True)
class _Counters:
    window: int
    before: int = 0
    now: int = 0


class MovingWindow:
    """Counts by key; of one thread at a time."""

    def __init__(self, keys_max: int = KEYS_MAX) -> None:
        self._keys_max = keys_max
        self._counters: OrderedDict[bytes, _Counters] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counters)

    def count(self, key: bytes, limit: int, now_ms: int) -> Allowance:
        """Count one request, unless `limit` of them came within the last minute."""
        counters = self._at(key, now_ms)
        into_ms = now_ms % WINDOW_MS
        left_ms = WINDOW_MS - into_ms
        used = counters.now + counters.before * left_ms / WINDOW_MS
        if used + 1 > limit:
            return Allowance(limit, 0, _wait_ms(counters, limit, into_ms), left_ms)
        counters.now += 1
        return Allowance(limit, int(limit - used - 1), 0, left_ms)

    def look(self, key: bytes, limit: int, now_ms: int) -> Allowance:
        """Where somebody stands, without counting anything; `wait_ms` is 0 where a request would be taken."""
        if key not in self._counters:
            return Allowance(limit, limit, 0, WINDOW_MS - now_ms % WINDOW_MS)
        allowance = self.count(key, limit, now_ms)
        if not allowance.wait_ms:
            self._counters[key].now -= 1
        return allowance

    def _at(self, key: bytes, now_ms: int) -> _Counters:
        """The key's counters, moved on to the window of now."""
        window = now_ms // WINDOW_MS
        counters = self._counters.pop(key, None) or _Counters(window)
        self._counters[key] = counters
        if len(self._counters) > self._keys_max:
            self._counters.popitem(last=False)
        if window != counters.window:  # a clock that stepped back begins a new window, too
            counters.before = counters.now if window == counters.window + 1 else 0
            counters.window, counters.now = window, 0
        return counters


def _wait_ms(counters: _Counters, limit: int, into_ms: int) -> int:
    """Until one more fits: within this window by forgetting the last one, else within the next."""
    left_ms = WINDOW_MS - into_ms
    room = limit - 1 - counters.now
    if room >= 0 and counters.before:
        return max(1, ceil(left_ms - room * WINDOW_MS / counters.before))
    if limit < 1:
        return WINDOW_MS
    # In the next window this one's requests fade: all but `limit - 1` of them must.
    return max(1, ceil(left_ms + WINDOW_MS * (1 - (limit - 1) / max(counters.now, 1))))
