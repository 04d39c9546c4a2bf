"""How often one source may ask: a bucket of tokens for each, in bounded memory."""

from collections import OrderedDict
from typing import Final

BURST: Final = 30
"""Enough for a shop whose tills all enrol at once behind one address."""
REFILL_MS: Final = 1000
"""One request more each second; codes are safe by their 80 bits, this guards processor and database."""
SOURCES_MAX: Final = 10_000


class RateLimit:
    """Counts requests by source; the source that was quiet longest is forgotten first."""

    def __init__(
        self, burst: int = BURST, refill_ms: int = REFILL_MS, sources_max: int = SOURCES_MAX
    ) -> None:
        self._burst = burst
        self._refill_ms = refill_ms
        self._sources_max = sources_max
        self._full_at_ms: OrderedDict[str, int] = OrderedDict()

    def wait_ms(self, source: str, now_ms: int) -> int:
        """0, and the request counts; or how long this source must wait, and it does not count."""
        full_at_ms = max(self._full_at_ms.pop(source, now_ms), now_ms)
        full_at_ms = min(full_at_ms, now_ms + self._burst * self._refill_ms)  # the clock stepped back
        missing_ms = full_at_ms - now_ms
        wait_ms = max(0, missing_ms - (self._burst - 1) * self._refill_ms)
        self._full_at_ms[source] = full_at_ms if wait_ms else full_at_ms + self._refill_ms
        if len(self._full_at_ms) > self._sources_max:
            self._full_at_ms.popitem(last=False)
        return wait_ms
