"""Consent: a blank that the cloud signs, the receipt that a register makes of it, and what both must satisfy.

    blank    COSE_Sign1 by the tenant's service key over {blank, tenant, register, public_key, usable_until}
    receipt  COSE_Sign1 by the register over {blank: the blank's bytes, interaction, purposes, notice, …}

One blank, one interaction. The private half of `public_key` is durable in the cloud before the blank is sent;
a picture under this consent is sealed to it. The fields follow ISO/IEC TS 27560; controller, categories of
data and storage period stand in the notice, whose SHA-256 the receipt carries.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, TypeVar

from wire_protocol import cose, crockford
from wire_protocol.envelope import KeyLookup
from wire_protocol.errors import RefusedMessage
from wire_protocol.fields import (
    Digest32,
    Id16,
    Many,
    Name,
    Octets,
    Text,
    TimeMs,
    decode_payload,
    encode_payload,
)
from wire_protocol.keys import SigningKey
from wire_protocol.limits import CONSENT_BLANK_MAX_BYTES, CONSENT_MAX_MS, CONSENT_RECEIPT_MAX_BYTES
from wire_protocol.purposes import Purpose as Purpose  # noqa: PLC0414 - part of what this module offers
from wire_protocol.reasons import Reason
from wire_protocol.sealing import PUBLIC_KEY_BYTES
from wire_protocol.topics import Identity

T = TypeVar("T")

AAD_BLANK: Final = b"topscoop/1/consent-blank"
AAD_RECEIPT: Final = b"topscoop/1/consent-receipt"


FRAME_PURPOSE: Final = Purpose.TRAINING
"""A frame is uploaded for this, so its consent must cover it."""


class Method(StrEnum):
    """How the customer said yes."""

    TOUCH = "touch"  # on the customer's display
    SPOKEN = "spoken"  # to the person at the till, who entered it
    SIGNED = "signed"  # on a signature pad
    PHONE = "phone"  # on the customer's own phone, after scanning the register's code


@dataclass(frozen=True, slots=True)
class Blank:
    """An empty consent form for one register."""

    blank: Id16
    tenant: Name
    register: Name
    public_key: Annotated[bytes, Octets(PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES)]
    issued_at: TimeMs
    usable_until: TimeMs


@dataclass(frozen=True, slots=True)
class Consent:
    """What a customer agreed to; its id is the blank's."""

    blank: Annotated[bytes, Octets(CONSENT_BLANK_MAX_BYTES, 1)]
    interaction: Id16
    purposes: Annotated[tuple[Purpose, ...], Many(len(Purpose), 1)]
    notice: Digest32
    language: Annotated[str, Text(16)]
    method: Method
    granted_at: TimeMs
    expires_at: TimeMs
    withdrawal: Digest32
    """`withdrawal_digest` of the code on the customer's slip."""

    def __post_init__(self) -> None:
        """Raise ValueError for a consent that ends before it begins, or is longer than the law allows."""
        if not 0 < self.expires_at - self.granted_at <= CONSENT_MAX_MS:
            raise ValueError("a consent lasts from granted_at to expires_at, three years at most")
        if len(set(self.purposes)) != len(self.purposes):
            raise ValueError("a purpose is named twice")


@dataclass(frozen=True, slots=True)
class VerifiedConsent:
    """A consent whose two signatures hold; made by `verify_receipt`."""

    consent: Consent
    blank: Blank

    @property
    def consent_id(self) -> bytes:
        """The blank's id."""
        return self.blank.blank


def withdrawal_digest(code: str) -> bytes:
    """What a consent carries of the code on the slip: SHA-256 of it as printed, in groups of four.

    Raises:
        ValueError: It holds what no code holds.
    """
    return hashlib.sha256(crockford.grouped(crockford.symbols_of(code)).encode()).digest()


def make_blank(blank: Blank, key: SigningKey) -> bytes:
    """A blank, signed by the tenant's service key."""
    return cose.cose_sign({cose.HEADER_KEY_ID: key.kid}, encode_payload(blank), key, AAD_BLANK)


def make_receipt(consent: Consent, key: SigningKey) -> bytes:
    """A consent receipt, signed by the register."""
    return cose.cose_sign({cose.HEADER_KEY_ID: key.kid}, encode_payload(consent), key, AAD_RECEIPT)


def verify_blank(data: bytes, service_keys: KeyLookup) -> Blank:
    """The blank that `data` is.

    Raises:
        RefusedMessage: `consent-forged`.
    """
    payload = _verified_payload(data, service_keys, AAD_BLANK, CONSENT_BLANK_MAX_BYTES)
    return _decoded(Blank, payload)


def verify_receipt(data: bytes, register_keys: KeyLookup, service_keys: KeyLookup) -> VerifiedConsent:
    """The consent that `data` is, with its blank.

    Raises:
        RefusedMessage: `consent-forged`.
    """
    payload = _verified_payload(data, register_keys, AAD_RECEIPT, CONSENT_RECEIPT_MAX_BYTES)
    consent = _decoded(Consent, payload)
    return VerifiedConsent(consent, verify_blank(consent.blank, service_keys))


def check_consent(verified: VerifiedConsent, identity: Identity, interaction: bytes) -> None:
    """Whether a consent is this register's, for this interaction, and its blank was usable.

    Raises:
        RefusedMessage: `consent-foreign` or `blank-stale`.
    """
    blank, consent = verified.blank, verified.consent
    if Identity(blank.tenant, blank.register) != identity:
        raise RefusedMessage(Reason.CONSENT_FOREIGN, f"the blank is not one of {identity}")
    if consent.interaction != interaction:
        raise RefusedMessage(Reason.CONSENT_FOREIGN, "the consent was given in another interaction")
    if consent.granted_at > blank.usable_until:
        raise RefusedMessage(Reason.BLANK_STALE, "the blank was filled after it was usable")


def check_covers(verified: VerifiedConsent, purpose: Purpose, at_ms: int) -> None:
    """Whether a consent covers a purpose at a time.

    Args:
        verified: From `verify_receipt`.
        purpose: What shall be done.
        at_ms: When, by the clock of who asks: the register's when it seals, the cloud's when it receives.

    Raises:
        RefusedMessage: `consent-purpose` or `consent-expired`.
    """
    if purpose not in verified.consent.purposes:
        raise RefusedMessage(Reason.CONSENT_PURPOSE, f"the customer did not agree to {purpose}")
    if at_ms >= verified.consent.expires_at:
        raise RefusedMessage(Reason.CONSENT_EXPIRED, "the consent has ended")


def _verified_payload(data: bytes, keys: KeyLookup, aad: bytes, longest: int) -> bytes:
    if len(data) > longest:
        raise RefusedMessage(Reason.CONSENT_FORGED, f"{len(data)} bytes, allowed are {longest}")
    try:
        parsed = cose.cose_parse(data)
        record = keys(_key_id(parsed))
        if record is not None:
            cose.check_signature(parsed, record.key, aad)
            return parsed.payload
    except RefusedMessage as error:
        raise RefusedMessage(Reason.CONSENT_FORGED, str(error)) from error
    raise RefusedMessage(Reason.CONSENT_FORGED, "signed with a key that is none of the signer's")


def _key_id(parsed: cose.Sign1) -> bytes:
    kid = parsed.protected.get(cose.HEADER_KEY_ID)
    labels = {cose.HEADER_ALGORITHM, cose.HEADER_KEY_ID}
    if parsed.unprotected or set(parsed.protected) != labels or not isinstance(kid, bytes):
        raise RefusedMessage(Reason.MALFORMED, "another header than algorithm and key id")
    return kid


def _decoded(kind: type[T], payload: bytes) -> T:
    try:
        return decode_payload(kind, payload)
    except RefusedMessage as error:
        raise RefusedMessage(Reason.CONSENT_FORGED, str(error)) from error
