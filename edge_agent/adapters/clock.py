"""The machine's clocks."""

import time


class SystemClock:
    """The only place of the agent that reads the time."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC; may step."""
        return time.time_ns() // 1_000_000

    def monotonic_ns(self) -> int:
        """Nanoseconds that only grow, the same for every process of this machine."""
        return time.monotonic_ns()

    def local(self) -> tuple[float, int]:
        """Hour of the day with minutes as fraction, and weekday (Monday = 0), in the machine's time zone."""
        now = time.localtime()
        return now.tm_hour + now.tm_min / 60, now.tm_wday
