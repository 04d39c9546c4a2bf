"""The register's time for what others will judge: its own clock, never before what the cloud signed."""

from dataclasses import dataclass
from typing import Final

SETTING: Final = "cloud_time_ms"
BEHIND_MS: Final = 300_000
"""A clock that is further behind the cloud's signed time is told about."""


@dataclass(slots=True)
class CloudClock:
    """The floor under the wall clock (threat T15): a battery that died must not date a consent to 2000.

    Args:
        floor_ms: The latest time that the cloud signed, as far as this register has heard.
    """

    floor_ms: int

    @classmethod
    def of(cls, kept: str | None, enrolled_at_ms: int) -> "CloudClock":
        """From the spool's setting and the time of the enrolment, whichever is later."""
        known = int(kept) if kept is not None and kept.isascii() and kept.isdecimal() else 0
        return cls(max(known, enrolled_at_ms))

    def heard(self, signed_ms: int) -> None:
        """The cloud signed something at this time."""
        self.floor_ms = max(self.floor_ms, signed_ms)

    def now_ms(self, clock_ms: int) -> int:
        """The time to write into messages."""
        return max(clock_ms, self.floor_ms)

    def is_behind(self, clock_ms: int) -> bool:
        """Whether the register's own clock is wrong for sure."""
        return clock_ms < self.floor_ms - BEHIND_MS
