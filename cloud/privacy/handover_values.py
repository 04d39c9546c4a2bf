"""A yes that was given on a phone, from the page to the register and to its consent."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wire_protocol.purposes import Purpose

SEND_AGAIN_MS: Final = 3_000
"""A message may be lost: it goes again after so long, until the consent came or the code is over."""
REMEMBERED_MS: Final = 31 * 24 * 3600 * 1000
"""So long after its code a yes without a live consent is kept: later no register delivers a frame for it."""
NOTICES_MAX: Final = 64
"""Texts that are kept of one register: five languages, each changed a dozen times."""


class GivenState(StrEnum):
    """What is written down of a yes; whether its consent came, the consents say."""

    GIVEN = "given"  # on the page
    SENT = "sent"  # to the register, once at least
    WITHDRAWN = "withdrawn"  # whenever its consent comes, it ends


@dataclass(frozen=True, slots=True)
class PendingHandover:
    """A yes that its register is to hear of."""

    handover: bytes
    register: str
    interaction: bytes
    purposes: tuple[Purpose, ...]
    notice: bytes
    language: str
    granted_at_ms: int
    expires_at_ms: int
