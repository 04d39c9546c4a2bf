"""What register and cloud tell each other so that a customer can say yes on a phone."""

from dataclasses import dataclass
from typing import Annotated, Final

from wire_protocol.fields import Digest32, Id16, Many, Octets, Text, TimeMs, Uint
from wire_protocol.limits import CONSENT_MAX_MS, NOTICE_MAX_BYTES
from wire_protocol.purposes import Purpose

CONSENT_DAYS_MAX: Final = CONSENT_MAX_MS // 86_400_000


@dataclass(frozen=True, slots=True)
class NoticeUp:
    """A notice as this register shows it: the phone of somebody who scanned its code shows the very same.

    A consent names the SHA-256 of `text`.
    """

    language: Annotated[str, Text(16)]
    text: Annotated[bytes, Octets(NOTICE_MAX_BYTES, 1)]
    """UTF-8; bytes, because a text of the protocol has no line breaks."""
    purposes: Annotated[tuple[Purpose, ...], Many(len(Purpose), 1)]
    valid_days: Annotated[int, Uint(CONSENT_DAYS_MAX, 1)]

    def __post_init__(self) -> None:
        """Raise ValueError for bytes that are no text."""
        self.text.decode()


@dataclass(frozen=True, slots=True)
class HandoverDown:
    """A customer said yes on a phone that had scanned this register's code."""

    handover: Id16
    """Of the code; the register takes each once."""
    interaction: Id16
    purposes: Annotated[tuple[Purpose, ...], Many(len(Purpose), 1)]
    notice: Digest32
    language: Annotated[str, Text(16)]
    granted_at: TimeMs
    """By the cloud's clock; the consent carries the register's own."""
    expires_at: TimeMs
    """As the code has it."""

    def __post_init__(self) -> None:
        """Raise ValueError for a purpose that is named twice."""
        if len(set(self.purposes)) != len(self.purposes):
            raise ValueError("a purpose is named twice")
