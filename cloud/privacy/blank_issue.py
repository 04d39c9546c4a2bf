"""How many consent blanks a register gets when it reports that its stock runs low."""

from dataclasses import dataclass
from typing import Final

from wire_protocol.limits import BLANKS_PER_MESSAGE_MAX, FRAME_MAX_AGE_MS

DAY_MS: Final = 24 * 3600 * 1000
KEY_GRACE_MS: Final = FRAME_MAX_AGE_MS + DAY_MS
"""A blank filled in its last hour may wait in the spool of an offline register for so long."""
ARRIVAL_MS: Final = 120_000
"""Blanks that were sent within this time may not stand in the register's report yet."""
UNHEARD_FACTOR: Final = 3
"""A register may have so many times its stock outstanding: filled offline and not reported, or lost."""


@dataclass(frozen=True, slots=True)
class Need:
    """What is known of one register's blanks.

    Args:
        left: In stock, as it reports.
        wanted: How many more it asks for.
        outstanding: Issued, their keys alive, no consent on them received: in stock, on the way, filled
            offline, or lost.
        on_the_way: Those of them that were issued within `ARRIVAL_MS`.
    """

    left: int
    wanted: int
    outstanding: int
    on_the_way: int


def blanks_to_issue(need: Need, stock_max: int) -> int:
    """How many to issue now; a report that is repeated, late or a lie stays within `outstanding_max`.

    Args:
        need: Of the register.
        stock_max: How many it may hold.
    """
    short = min(need.wanted, stock_max - need.left) - need.on_the_way
    allowed = outstanding_max(stock_max) - need.outstanding
    return max(0, min(short, allowed, BLANKS_PER_MESSAGE_MAX))


def outstanding_max(stock_max: int) -> int:
    """How many blanks of one register may be outstanding; this bounds what a stolen register can invent."""
    return UNHEARD_FACTOR * stock_max


def usable_until_ms(now_ms: int, blank_days: int) -> int:
    """Until when a blank that is issued now may be filled."""
    return now_ms + blank_days * DAY_MS


def key_ends_at_ms(now_ms: int, blank_days: int) -> int:
    """When the key of a blank that is issued now ends, if no consent on it was received by then."""
    return usable_until_ms(now_ms, blank_days) + KEY_GRACE_MS


def issued_at_ms(blank: bytes) -> int:
    """When a blank was issued: its id is a UUID version 7."""
    return int.from_bytes(blank[:6])
