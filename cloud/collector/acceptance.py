"""Whether a verified message is taken: rules over values, in the order in which they are asked.

What is signed was checked before (`verification`). Here: repeats, age, consent, withdrawal, quota. Of the
sender's clock, only the age of frames and the time of a consent matter.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cloud.collector.values import (
    Claim,
    Facts,
    Later,
    Offer,
    Refuse,
    Repeat,
    Ruling,
    State,
    Store,
    Vanish,
)
from wire_protocol.consent import FRAME_PURPOSE, VerifiedConsent, check_consent, check_covers
from wire_protocol.errors import RefusedMessage
from wire_protocol.identifiers import uuid7_time
from wire_protocol.limits import FRAME_MAX_AGE_MS
from wire_protocol.messages import ConsentUp, FrameUp
from wire_protocol.reasons import Reason
from wire_protocol.topics import Up

DAY_MS: Final = 24 * 3600 * 1000
RETRY_MAX_MS: Final = 3_600_000
"""The longest that `retry` may ask for (`messages.ReceiptDown`)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the operator may set of the rules."""

    lease_ms: int = 30_000
    """How long a claim holds; longer than a put with its timeouts."""
    busy_retry_ms: int = 1_000
    """A message that is being stored at this moment is to be sent again after so long."""


def accept(offer: Offer, facts: Facts, terms: Terms, now_ms: int) -> Ruling:
    """What shall become of a verified message.

    Args:
        offer: From `verification.verify`.
        facts: What the database knows, read in the transaction that writes the ruling down.
        terms: Set by the operator.
        now_ms: By the cloud's clock.
    """
    # 1. Known already: the same bytes get the same answer, other bytes are a conflict.
    row = facts.row
    if row is not None and row.sha256 != offer.message.sha256:
        return Refuse(Reason.CONFLICT, "this message id was received with other bytes", durable=False)
    if row is not None and row.state is not State.CLAIMED:
        return Repeat(row)
    # 2. Being stored at this moment, here or by another collector.
    if row is not None and row.token is not None and (row.lease_until_ms or 0) > now_ms:
        return Later(terms.busy_retry_ms, "busy")
    # 3. What its kind asks for.
    try:
        match offer.message.payload:
            case FrameUp() as frame:
                return _accept_frame(offer, frame, facts, terms, now_ms)
            case ConsentUp() as consent:
                _check_consent(offer, consent.consent, consent.interaction, facts)
    except RefusedMessage as error:
        return Refuse(error.reason, str(error))
    late = now_ms - offer.message.header.at_ms > FRAME_MAX_AGE_MS  # small kinds are never too old
    return Store(late=late, review=offer.register.revoked and offer.message.kind is Up.WITHDRAWAL)


def object_key(tenant: str, interaction: bytes) -> str:
    """Where the frames of an interaction lie: by the UTC day of its UUID's own time, or under `undated`."""
    value = uuid.UUID(bytes=interaction)
    try:
        day = uuid7_time(value).astimezone(UTC).strftime("%Y/%m/%d") if value.version == 7 else "undated"
    except (ValueError, OverflowError):  # beyond the year 9999
        day = "undated"
    return f"frames/{tenant}/{day}/{value}"


def expiry(consent_expires_at_ms: int, received_at_ms: int, retention_days: int) -> int:
    """When a frame is to be erased: with its consent, or when the tenant's schedule says so."""
    return min(consent_expires_at_ms, received_at_ms + retention_days * DAY_MS)


def day_of(at_ms: int) -> str:
    """The UTC day of a time, as the counters name it: `2026-11-22`."""
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).strftime("%Y-%m-%d")


def _accept_frame(offer: Offer, frame: FrameUp, facts: Facts, terms: Terms, now_ms: int) -> Ruling:
    # a. Its age, by the time at which it was sealed; a clock in the future does not matter.
    if now_ms - offer.message.header.at_ms > FRAME_MAX_AGE_MS:
        raise RefusedMessage(Reason.TOO_OLD, "a frame older than a register keeps them")
    # b. Its consent covers it, at its capture by the register's clock and at receipt by ours.
    verified = _check_consent(offer, frame.consent, frame.interaction, facts)
    check_covers(verified, FRAME_PURPOSE, frame.captured_at)
    check_covers(verified, FRAME_PURPOSE, now_ms)
    # c. Its consent was withdrawn meanwhile.
    if facts.withdrawn_at_ms is not None:
        return Vanish()
    # d. The tenant's quota of the day: `retry`, never `refused`, for tomorrow it fits.
    size = len(offer.message.message)
    if (
        facts.frames_today >= offer.tenant.frames_per_day
        or facts.bytes_today + size > offer.tenant.bytes_per_day
    ):
        return Later(min(DAY_MS - now_ms % DAY_MS, RETRY_MAX_MS), "quota")
    # e. Claimed from now on.
    return Claim(
        object_key=object_key(offer.message.identity.tenant, frame.interaction),
        lease_until_ms=now_ms + terms.lease_ms,
        expires_at_ms=expiry(verified.consent.expires_at, offer.received_at_ms, offer.tenant.retention_days),
        takeover=facts.row is not None,
        seen_token=facts.row.token if facts.row else None,
    )


def _check_consent(offer: Offer, consent_id: bytes, interaction: bytes, facts: Facts) -> VerifiedConsent:
    verified = offer.consent
    if verified is None or verified.consent_id != consent_id:
        raise RefusedMessage(Reason.CONSENT_FOREIGN, "the attached receipt is of another consent")
    check_consent(verified, offer.message.identity, interaction)
    known = facts.consent
    if known is not None and (known.register, known.interaction, known.receipt) != (
        offer.message.identity.register,
        interaction,
        offer.message.attachments[0],
    ):
        raise RefusedMessage(Reason.BLANK_REUSED, "its blank was filled before, for something else")
    if facts.withdrawn_at_ms is not None and verified.consent.granted_at > facts.withdrawn_at_ms:
        raise RefusedMessage(Reason.CONSENT_WITHDRAWN, "its blank was filled after it had been withdrawn")
    return verified
