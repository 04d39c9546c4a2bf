"""A bound on how often something happens: a token bucket."""

import math


class Pace:
    """So many a second, with a burst.

    Args:
        per_s: Tokens a second.
        burst: Tokens at most.
    """

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_ms = per_s / 1000
        self._burst = burst
        self._tokens = float(burst)
        self._at_ms: int | None = None

    def take(self, now_ms: int) -> bool:
        """Whether it may happen now; if so, it counts."""
        if self._at_ms is not None:
            self._tokens = min(self._burst, self._tokens + (now_ms - self._at_ms) * self._per_ms)
        self._at_ms = now_ms
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def next_ms(self, now_ms: int) -> int:
        """When the next one may happen, after `take` was refused at `now_ms`."""
        return now_ms + max(1, math.ceil((1 - self._tokens) / self._per_ms))
