"""What runs out, and when somebody must be told: 30, 14 and 3 days before."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cloud.enrolment.certificates import DAY_MS

ALARM_DAYS: Final = (30, 14, 3)
RENEW_AT: Final = (2, 3)
"""Of its life; what renews itself does so after two thirds (RFC 7030 leaves it to the client)."""


class Expiring(StrEnum):
    """Kinds of things with an end."""

    REGISTER = "register"  # locks out one till
    AUTHORITY = "authority"  # locks out everybody
    SERVER = "server"  # locks out everybody
    SERVICE = "service"  # a service loses the broker
    REVOCATION_LIST = "revocation-list"  # an expired one locks out every till


class Urgency(StrEnum):
    """How near the end is."""

    SOON = "soon"  # 30 days or less
    NEAR = "near"  # 14 days or less
    URGENT = "urgent"  # 3 days or less
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Ending:
    """One thing and its end."""

    kind: Expiring
    name: str
    not_before_ms: int
    not_after_ms: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something ends soon, or has ended.

    Attributes:
        days_left: Whole days, rounded down; negative after the end.
    """

    kind: Expiring
    name: str
    urgency: Urgency
    days_left: int


def alarms(endings: Iterable[Ending], now_ms: int) -> list[Alarm]:
    """An alarm for each thing that ends within 30 days, the nearest end first."""
    found = []
    for ending in sorted(endings, key=lambda one: one.not_after_ms):
        urgency = _urgency(ending.not_after_ms - now_ms)
        if urgency is not None:
            days_left = (ending.not_after_ms - now_ms) // DAY_MS
            found.append(Alarm(ending.kind, ending.name, urgency, days_left))
    return found


def renewal_due(not_before_ms: int, not_after_ms: int, now_ms: int) -> bool:
    """Whether two thirds of a life are over."""
    of, parts = RENEW_AT
    return (now_ms - not_before_ms) * parts >= (not_after_ms - not_before_ms) * of


def _urgency(left_ms: int) -> Urgency | None:
    if left_ms <= 0:
        return Urgency.EXPIRED
    soon, near, urgent = (days * DAY_MS for days in ALARM_DAYS)
    if left_ms <= urgent:
        return Urgency.URGENT
    if left_ms <= near:
        return Urgency.NEAR
    return Urgency.SOON if left_ms <= soon else None
