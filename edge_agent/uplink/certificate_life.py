"""When to renew the register's certificate, and when to raise an alarm (threat T20)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MS_PER_DAY: Final = 86_400_000
ALARM_DAYS: Final = (3, 14, 30)
"""Days before the end, the most urgent first."""


class Life(StrEnum):
    """Where a certificate is in its life."""

    FRESH = "fresh"
    DUE = "due"  # two thirds are over: renew
    EXPIRED = "expired"  # only a new enrolment helps


@dataclass(frozen=True, slots=True)
class CertificateLife:
    """A certificate's validity, in milliseconds since 1970."""

    not_before_ms: int
    not_after_ms: int

    def state(self, now_ms: int) -> Life:
        """Where it is now; a clock before its beginning is wrong, so that counts as fresh."""
        if now_ms >= self.not_after_ms:
            return Life.EXPIRED
        renew_at_ms = self.not_before_ms + (self.not_after_ms - self.not_before_ms) * 2 // 3
        return Life.DUE if now_ms >= renew_at_ms else Life.FRESH

    def days_left(self, now_ms: int) -> float:
        """Days until the end; negative after it."""
        return (self.not_after_ms - now_ms) / MS_PER_DAY

    def alarm(self, now_ms: int) -> int | None:
        """The alarm that is due: 30, 14 or 3 (days), 0 when it has expired; None while all is well.

        A certificate that lives for less than 30 days is no reason for an alarm before it could be renewed.
        """
        match self.state(now_ms):
            case Life.EXPIRED:
                return 0
            case Life.DUE:
                left = self.days_left(now_ms)
                return next((days for days in ALARM_DAYS if left <= days), None)
        return None
