"""What became of everything that was captured: durable counters that add up.

    captured = stored + refused + gone + dropped (by reason) + spooled + without consent

A counter is written in the transaction of what it counts, so the equation holds after any crash.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from edge_agent.uplink.lanes import Lane


class Fate(StrEnum):
    """How a captured message ended."""

    STORED = "stored"  # the collector's receipt says so
    REFUSED = "refused"  # for a reason that will not change
    GONE = "gone"  # its consent was withdrawn or erased
    DROPPED = "dropped"  # by the register itself, for a `DropReason`
    WITHOUT_CONSENT = "without_consent"  # nobody said yes; it was overwritten in memory


class DropReason(StrEnum):
    """Why a register gives something up."""

    FULL = "full"  # thinned out evenly when the spool was full
    TOO_OLD = "too_old"  # older than limits.FRAME_MAX_AGE_MS
    SAMPLED = "sampled"  # the sampling rules did not choose it
    DISK = "disk"  # the disk refused to take it
    DAMAGED = "damaged"  # its bytes were no longer those that were stored, or went with a damaged file
    UNSEALED = "unsealed"  # no blank was left, or its picture could not be encoded
    PURGED = "purged"  # by a person, `topscoop edge spool purge`


CAPTURED: Final = "captured"


def captured(lane: Lane) -> str:
    """The counter of what was captured for a lane."""
    return f"{lane.label}.{CAPTURED}"


def ended(lane: Lane, fate: Fate, reason: DropReason | None = None) -> str:
    """The counter of a fate; a drop has a reason, nothing else has."""
    if (reason is not None) != (fate is Fate.DROPPED):
        raise ValueError("a drop has a reason, no other fate has")
    return f"{lane.label}.{fate}" if reason is None else f"{lane.label}.{fate}.{reason}"


def never_spooled(lane: Lane, fate: Fate, reason: DropReason | None = None) -> dict[str, int]:
    """What to count for something that was captured and ended before it came to the spool."""
    return {captured(lane): 1, ended(lane, fate, reason): 1}


@dataclass(frozen=True, slots=True)
class Account:
    """The sums of one lane."""

    captured: int
    stored: int
    refused: int
    gone: int
    without_consent: int
    spooled: int
    dropped: Mapping[DropReason, int] = field(default_factory=dict)

    @property
    def lost(self) -> int:
        """What is missing from the equation: 0, or there is a bug."""
        found = self.stored + self.refused + self.gone + self.without_consent + self.spooled
        return self.captured - found - sum(self.dropped.values())


def account(lane: Lane, counters: Mapping[str, int], spooled: int) -> Account:
    """The account of a lane from the durable counters and the number of rows that are spooled."""

    def of(fate: Fate, reason: DropReason | None = None) -> int:
        return counters.get(ended(lane, fate, reason), 0)

    return Account(
        captured=counters.get(captured(lane), 0),
        stored=of(Fate.STORED),
        refused=of(Fate.REFUSED),
        gone=of(Fate.GONE),
        without_consent=of(Fate.WITHOUT_CONSENT),
        spooled=spooled,
        dropped={reason: of(Fate.DROPPED, reason) for reason in DropReason if of(Fate.DROPPED, reason)},
    )
