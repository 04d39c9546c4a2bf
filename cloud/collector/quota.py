"""How many messages a minute a tenant may send, and how long one waits while a dependency is away."""

from dataclasses import dataclass
from typing import Final

_MINUTE_MS: Final = 60_000
_BURST_SHARE: Final = 0.2
"""Of a minute's messages, so many may come at once."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_ms: int


class Rates:
    """Token buckets by tenant. Each collector has its own: n collectors let n times as much through."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}

    def wait_ms(self, tenant: str, per_minute: int, now_ms: int) -> int:
        """0, and one message is counted; or in how many milliseconds there is room for it."""
        burst = max(1.0, per_minute * _BURST_SHARE)
        bucket = self._buckets.setdefault(tenant, _Bucket(burst, now_ms))
        gained = max(0, now_ms - bucket.at_ms) * per_minute / _MINUTE_MS
        bucket.tokens, bucket.at_ms = min(burst, bucket.tokens + gained), now_ms
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0
        return max(1, round((1 - bucket.tokens) * _MINUTE_MS / per_minute))


class Outage:
    """Whether a dependency is worth asking; after a failure only one request at a time finds out.

    Args:
        first_ms: Pause after the first failure; it doubles up to `longest_ms`.
    """

    def __init__(self, first_ms: int = 250, longest_ms: int = 5_000) -> None:
        self._first_ms = first_ms
        self._longest_ms = longest_ms
        self._pause_ms = 0
        self._until_ms = 0

    @property
    def away(self) -> bool:
        """Whether the last thing heard of it was a failure."""
        return self._pause_ms > 0

    def may_ask(self, now_ms: int) -> bool:
        """Whether to try; while it is away, true once per pause."""
        if not self.away:
            return True
        if now_ms < self._until_ms:
            return False
        self._until_ms = now_ms + self._pause_ms
        return True

    def failed(self, now_ms: int) -> None:
        """It did not answer; failures of requests that were under way together count once."""
        if self.away and now_ms < self._until_ms:
            return
        self._pause_ms = min(self._longest_ms, max(self._first_ms, 2 * self._pause_ms))
        self._until_ms = now_ms + self._pause_ms

    def answered(self) -> None:
        """It works."""
        self._pause_ms = 0
