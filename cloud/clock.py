"""The one place where the cloud reads the time of day; everything else takes `now_ms`."""

import time


def now_ms() -> int:
    """Milliseconds since 1970-01-01 UTC, by the system's clock."""
    return time.time_ns() // 1_000_000
