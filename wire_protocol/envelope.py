"""Every message: one signed envelope, and what is attached to it.

    message    = CBOR array of byte strings: [envelope, attachment, …]
    envelope   = COSE_Sign1 (tag 18) over the payload, a CBOR map
    protected  = {1: alg, 3: content type, 4: kid, "at", "attached", "id", "register", "seq", "tenant", "v"}

The signature covers the attachments by their SHA-256, so a picture is hashed once and never signed as a
whole. The unprotected header is empty. The external AAD tells the directions apart. What is attached to
which kind stands in `messages.ATTACHED`.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from wire_protocol import cbor, cose
from wire_protocol.errors import RefusedMessage
from wire_protocol.fields import decode_payload, encode_payload
from wire_protocol.keys import KEY_ID_BYTES, SigningKey, VerificationKey
from wire_protocol.limits import (
    BLANKS_PAYLOAD_MAX_BYTES,
    COUNT_MAX,
    HEADER_MAX_BYTES,
    MESSAGE_MAX_BYTES,
    PAYLOAD_MAX_BYTES,
    TIME_MAX_MS,
)
from wire_protocol.messages import ATTACHED, PAYLOADS, Payload
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Identity, Kind, Topic, Up

SCHEMA_VERSION: Final = 1
MESSAGE_ID_BYTES: Final = 16
DIGEST_BYTES: Final = 32
AAD_UP: Final = b"topscoop/1/up"
AAD_DOWN: Final = b"topscoop/1/down"
SEAL_LABEL: Final = b"topscoop/1/seal\0"

_TEXT_LABELS: Final = frozenset({"at", "attached", "id", "register", "seq", "tenant", "v"})
_LABELS: Final = _TEXT_LABELS | {cose.HEADER_ALGORITHM, cose.HEADER_CONTENT_TYPE, cose.HEADER_KEY_ID}


@dataclass(frozen=True, slots=True)
class Header:
    """What is signed beside the payload.

    Args:
        topic: Identity and kind; the same as those of the MQTT topic, or the message is refused.
        message_id: 16 bytes, unique per register; a receipt carries the id of what it answers.
        sequence: Grows with every message of a register, whatever its clock does; 0 downwards.
        at_ms: By the sender's clock.
        attached: SHA-256 of each attachment, in order.
    """

    topic: Topic
    message_id: bytes
    sequence: int
    at_ms: int
    attached: tuple[bytes, ...] = ()

    def fields(self, kid: bytes) -> dict[int | str, Any]:
        """The protected header, but for the algorithm."""
        return {
            cose.HEADER_CONTENT_TYPE: content_type(self.topic.kind),
            cose.HEADER_KEY_ID: kid,
            "at": self.at_ms,
            "attached": list(self.attached),
            "id": self.message_id,
            "register": self.topic.identity.register,
            "seq": self.sequence,
            "tenant": self.topic.identity.tenant,
            "v": SCHEMA_VERSION,
        }


def content_type(kind: Kind) -> str:
    """The content type of a kind."""
    return f"application/vnd.topscoop.{kind}+cbor"


_KINDS: Final[Mapping[str, Kind]] = {content_type(kind): kind for kind in (*Up, *Down)}


def seal_info(header: Header, kid: bytes) -> bytes:
    """What a picture is bound to inside its seal: the header without the digests of the attachments.

    Args:
        header: Of the frame's message; `attached` does not matter.
        kid: Of the register's signing key.
    """
    bound = {label: value for label, value in header.fields(kid).items() if label != "attached"}
    return SEAL_LABEL + cbor.encode(bound)


def make(header: Header, payload: Payload, attachments: Sequence[bytes], key: SigningKey) -> bytes:
    """A message, signed.

    Args:
        header: `attached` is filled in here.
        payload: Of the header's kind.
        attachments: As `messages.ATTACHED` has it for the kind.
        key: The register's, or the cloud's for what goes down.

    Raises:
        ValueError: It would be larger than MQTT and the limits allow, or has other attachments than its kind.
    """
    kind = header.topic.kind
    if len(attachments) != len(ATTACHED.get(kind, ())) or type(payload) is not PAYLOADS[kind]:
        raise ValueError(f"a message of kind {kind} has another payload or other attachments")
    digests = tuple(hashlib.sha256(attachment).digest() for attachment in attachments)
    signed = Header(header.topic, header.message_id, header.sequence, header.at_ms, digests)
    envelope = cose.cose_sign(signed.fields(key.kid), encode_payload(payload), key, _aad(kind))
    message = cbor.encode([envelope, *attachments])
    if len(message) > MESSAGE_MAX_BYTES:
        raise ValueError(f"a message of {len(message)} bytes is longer than {MESSAGE_MAX_BYTES}")
    return message


@dataclass(frozen=True, slots=True)
class UnverifiedMessage:
    """A message of the right form and place, its signature not checked: good for nothing but `verify`.

    What it claims (`header`, `kid`) may be used to look up keys and to count refusals.
    """

    header: Header
    kid: bytes
    message: bytes
    sign1: cose.Sign1
    attachments: tuple[bytes, ...]


def parse(message: bytes, topic: Topic) -> UnverifiedMessage:
    """Check form and place of a message that came in on `topic`.

    Raises:
        RefusedMessage: `too-large`, `malformed`, `unsupported-version` or `identity-mismatch`.
    """
    # 1. Its size, before a decoder sees it.
    if len(message) > MESSAGE_MAX_BYTES:
        raise RefusedMessage(Reason.TOO_LARGE, f"{len(message)} bytes, allowed are {MESSAGE_MAX_BYTES}")
    # 2. Its outer form: byte strings only.
    parts = cbor.decode(message)
    if not isinstance(parts, list) or not parts or not all(isinstance(part, bytes) for part in parts):
        raise RefusedMessage(Reason.MALFORMED, "not an array of envelope and attachments")
    # 3. The envelope: nothing unprotected, known labels only.
    sign1 = cose.cose_parse(parts[0])
    if sign1.unprotected:
        raise RefusedMessage(Reason.MALFORMED, "the unprotected header must be empty")
    header, kid = _header(sign1)
    # 4. Its place: who speaks on this topic is who signed, and of what they speak.
    if header.topic != topic:
        raise RefusedMessage(Reason.IDENTITY_MISMATCH, f"signed for {header.topic}, received on {topic}")
    # 5. As many attachments as the kind has, each within the payload's limits.
    if not len(parts) - 1 == len(header.attached) == len(ATTACHED.get(topic.kind, ())):
        raise RefusedMessage(Reason.MALFORMED, "another number of attachments than its kind has")
    allowed = BLANKS_PAYLOAD_MAX_BYTES if topic.kind is Down.BLANKS else PAYLOAD_MAX_BYTES
    if len(sign1.payload) > allowed:
        raise RefusedMessage(
            Reason.TOO_LARGE, f"a payload of {len(sign1.payload)} bytes, allowed are {allowed}"
        )
    return UnverifiedMessage(header, kid, message, sign1, tuple(parts[1:]))


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key and when it signs; messages that say they were made outside that time are refused."""

    key: VerificationKey
    valid_from_ms: int = 0
    valid_until_ms: int = TIME_MAX_MS


KeyLookup = Callable[[bytes], KeyRecord | None]
"""The keys of one signer, by key id."""

_PROOF: Final = object()


@dataclass(frozen=True, slots=True)
class VerifiedMessage:
    """A message that its signer really made; only `verify` makes one. What stores things takes nothing else.

    Attributes:
        payload: Decoded, of the header's kind.
        message: The whole MQTT payload.
        sha256: Of `message`; what the receipt names.
    """

    header: Header
    kid: bytes
    payload: Payload
    attachments: tuple[bytes, ...]
    message: bytes
    sha256: bytes
    _proof: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse to be made elsewhere."""
        if self._proof is not _PROOF:
            raise TypeError("only envelope.verify() makes a VerifiedMessage")

    @property
    def identity(self) -> Identity:
        """Who signed it, or whom it is for."""
        return self.header.topic.identity

    @property
    def kind(self) -> Kind:
        """What it is."""
        return self.header.topic.kind


def verify(unverified: UnverifiedMessage, keys: KeyLookup) -> VerifiedMessage:
    """Verify signature, attachments and payload, in this order.

    Args:
        unverified: From `parse`.
        keys: The keys of the identity in the header: the register's upwards, the cloud's downwards.

    Raises:
        RefusedMessage: `unknown-key`, `wrong-algorithm`, `bad-signature`, `key-expired`, `digest-mismatch`,
            `bad-payload` or `malformed`.
    """
    header = unverified.header
    record = keys(unverified.kid)
    if record is None:
        raise RefusedMessage(Reason.UNKNOWN_KEY, f"no key {unverified.kid.hex()} of {header.topic.identity}")
    cose.check_signature(unverified.sign1, record.key, _aad(header.topic.kind))
    if not record.valid_from_ms <= header.at_ms <= record.valid_until_ms:
        raise RefusedMessage(Reason.KEY_EXPIRED, "made outside the time in which its key signs")
    for attachment, digest in zip(unverified.attachments, header.attached, strict=True):
        if hashlib.sha256(attachment).digest() != digest:
            raise RefusedMessage(Reason.DIGEST_MISMATCH, "an attachment is not the one that was signed")
    payload = decode_payload(PAYLOADS[header.topic.kind], unverified.sign1.payload)
    return VerifiedMessage(
        header=header,
        kid=unverified.kid,
        payload=payload,
        attachments=unverified.attachments,
        message=unverified.message,
        sha256=hashlib.sha256(unverified.message).digest(),
        _proof=_PROOF,
    )


def _aad(kind: Kind) -> bytes:
    return AAD_UP if isinstance(kind, Up) else AAD_DOWN


def _header(sign1: cose.Sign1) -> tuple[Header, bytes]:
    if len(sign1.protected_bytes) > HEADER_MAX_BYTES:
        raise RefusedMessage(Reason.TOO_LARGE, f"a header of over {HEADER_MAX_BYTES} bytes")
    labels = sign1.protected
    if labels.get("v") != SCHEMA_VERSION or type(labels.get("v")) is not int:
        raise RefusedMessage(
            Reason.UNSUPPORTED_VERSION,
            f"schema version {labels.get('v')!r:.20}, this side knows {SCHEMA_VERSION}",
        )
    if set(labels) != _LABELS:
        raise RefusedMessage(
            Reason.MALFORMED, "the protected header has other labels than those of the protocol"
        )
    match labels:
        case {
            cose.HEADER_CONTENT_TYPE: str(kind),
            cose.HEADER_KEY_ID: bytes(kid),
            "at": int(at_ms),
            "attached": list(attached),
            "id": bytes(message_id),
            "register": str(register),
            "seq": int(sequence),
            "tenant": str(tenant),
        } if (
            kind in _KINDS
            and len(kid) == KEY_ID_BYTES
            and len(message_id) == MESSAGE_ID_BYTES
            and type(at_ms) is int
            and type(sequence) is int
            and 0 <= at_ms <= TIME_MAX_MS
            and 0 <= sequence <= COUNT_MAX
            and all(isinstance(digest, bytes) and len(digest) == DIGEST_BYTES for digest in attached)
        ):
            try:
                topic = Topic(Identity(tenant, register), _KINDS[kind])
            except ValueError as error:
                raise RefusedMessage(Reason.MALFORMED, str(error)) from error
            return Header(topic, message_id, sequence, at_ms, tuple(attached)), kid
    raise RefusedMessage(Reason.MALFORMED, "a field of the protected header has another type or length")
