"""Frames as they lie in S3: the whole message, which stays verifiable."""

from dataclasses import dataclass

from wire_protocol import cbor, consent, cose, envelope
from wire_protocol.consent import FRAME_PURPOSE, VerifiedConsent
from wire_protocol.envelope import KeyLookup, seal_info
from wire_protocol.errors import RefusedMessage
from wire_protocol.fields import decode_payload
from wire_protocol.messages import FrameUp
from wire_protocol.topics import Identity, Topic, Up


def consent_named_by(message: bytes) -> bytes | None:
    """The consent that a frame's message names, its signature unchecked; None where it is no frame.

    Good to decide what is deleted, never what is opened.
    """
    try:
        parts = cbor.decode(message)
        if not isinstance(parts, list) or not parts or not isinstance(parts[0], bytes):
            return None
        return decode_payload(FrameUp, cose.cose_parse(parts[0]).payload).consent
    except RefusedMessage:
        return None


@dataclass(frozen=True, slots=True)
class SealedFrame:
    """A verified frame with its consent: what may be opened, if its consent has not ended."""

    consent: VerifiedConsent
    sealed: bytes
    info: bytes
    frame: FrameUp


def verify_frame(
    message: bytes, identity: Identity, register_keys: KeyLookup, service_keys: KeyLookup, now_ms: int
) -> SealedFrame:
    """Verify a stored frame again, envelope and consent, before anybody opens it.

    Raises:
        RefusedMessage: The object is not what was stored, or its consent does not cover its use now.
    """
    # 1. The envelope, with the keys that this register ever had.
    unverified = envelope.parse(message, Topic(identity, Up.FRAME))
    verified = envelope.verify(unverified, register_keys)
    assert isinstance(verified.payload, FrameUp), "envelope.verify decodes by kind"
    receipt, sealed = verified.attachments
    # 2. The consent: signatures, place, interaction, purpose, time.
    given = consent.verify_receipt(receipt, register_keys, service_keys)
    consent.check_consent(given, identity, verified.payload.interaction)
    consent.check_covers(given, FRAME_PURPOSE, now_ms)
    return SealedFrame(given, sealed, seal_info(verified.header, verified.kid), verified.payload)
