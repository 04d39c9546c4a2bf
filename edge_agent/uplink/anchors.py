"""Whom the register believes: the cloud's service keys by purpose, as enrolment brought them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wire_protocol.envelope import KeyLookup, KeyRecord, VerifiedMessage, parse, verify
from wire_protocol.errors import RefusedMessage
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Identity, Topic


class Purpose(StrEnum):
    """What a service key is for; a key of another purpose is no key."""

    RECEIPTS = "receipts"
    CONSENT = "consent"
    FLEET = "fleet"
    FILES = "files"


PURPOSE_OF: Final = {
    Down.RECEIPT: Purpose.RECEIPTS,
    Down.BLANKS: Purpose.CONSENT,
    Down.ERASE: Purpose.CONSENT,
    Down.DESIRED: Purpose.FLEET,
    Down.FILE_BLOCK: Purpose.FILES,
    Down.HANDOVER: Purpose.CONSENT,
}
"""Who signs which kind."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """One trusted key."""

    purpose: Purpose
    record: KeyRecord


class Anchors:
    """The trusted keys of one tenant."""

    def __init__(self, anchors: Iterable[Anchor]) -> None:
        self.all = tuple(anchors)
        self._by_purpose = {
            purpose: {one.record.key.kid: one.record for one in self.all if one.purpose is purpose}
            for purpose in Purpose
        }

    def keys(self, purpose: Purpose) -> KeyLookup:
        """The keys of one purpose, by id."""
        return self._by_purpose[purpose].get


def open_down(message: bytes, topic: str, identity: Identity, anchors: Anchors) -> VerifiedMessage:
    """What the cloud said to this register; everything else is refused.

    Args:
        message: As it came.
        topic: Where it came.
        identity: This register.
        anchors: Whom to believe.

    Raises:
        RefusedMessage: As `envelope.parse` and `envelope.verify`; `identity-mismatch` for another register's.
    """
    where = Topic.parse(topic)
    if where.identity != identity or not isinstance(where.kind, Down):
        raise RefusedMessage(Reason.IDENTITY_MISMATCH, f"{topic[:120]!r} is not for this register")
    return verify(parse(message, where), anchors.keys(PURPOSE_OF[where.kind]))
