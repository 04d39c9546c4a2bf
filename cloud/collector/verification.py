"""From bytes to an offer, numbered like its proof: topic, form, register, signature, consent.

Nothing before the last step may be stored; what is refused is answered to the identity of the topic, which is
the broker's word, never the message's.
"""

import functools
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from cloud.collector.values import Delivery, Offer, RegisterRecord, TenantRecord
from wire_protocol import envelope
from wire_protocol.consent import VerifiedConsent, verify_receipt
from wire_protocol.envelope import KeyLookup, KeyRecord, VerifiedMessage
from wire_protocol.errors import RefusedMessage
from wire_protocol.limits import HEADER_MAX_BYTES
from wire_protocol.messages import InteractionUp, OutcomeUp
from wire_protocol.reasons import Reason
from wire_protocol.topics import RECEIPTED, Topic, Up

CONSENTS_REMEMBERED: Final = 4096
"""Verified receipts, about 1 KiB each: a consent, and then its frames, carry the same one."""
_CLOCK_SLACK_MS: Final = 24 * 3600 * 1000
"""A register whose clock is this far behind ours may send frames; of small kinds no clock is asked."""
_ID_LABEL: Final = b"\x62id\x50"
"""In a protected header: the text `id`, then the head of a byte string of 16."""


class ConsentCache:
    """Receipts whose two signatures were checked, by who sent them and their SHA-256."""

    def __init__(self, size: int = CONSENTS_REMEMBERED) -> None:
        self._size = size
        self._known: OrderedDict[tuple[str, str, bytes], VerifiedConsent] = OrderedDict()

    def verified(
        self, message: VerifiedMessage, register: RegisterRecord, tenant: TenantRecord
    ) -> VerifiedConsent:
        """The consent that is attached to a message, its signatures checked now or before.

        Raises:
            RefusedMessage: `consent-forged`.
        """
        # `envelope.verify` compared this digest with the attachment.
        key = (message.identity.tenant, message.identity.register, message.header.attached[0])
        known = self._known.get(key)
        if known is None:
            known = verify_receipt(message.attachments[0], register.keys.get, tenant.consent_keys.get)
            self._known[key] = known
            if len(self._known) > self._size:
                self._known.popitem(last=False)
        return known


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that is refused before anything of it is kept."""

    reason: Reason
    detail: str
    message_id: bytes | None
    """None: nobody can be answered."""


def topic_of(text: str) -> Topic:
    """The topic of a message that a collector takes.

    Raises:
        RefusedMessage: `bad-topic`.
    """
    topic = Topic.parse(text)
    if topic.kind not in RECEIPTED:
        raise RefusedMessage(Reason.BAD_TOPIC, f"collectors take nothing of kind {topic.kind}")
    return topic


def verify(
    delivery: Delivery,
    topic: Topic,
    tenant: TenantRecord | None,
    registers: Mapping[str, RegisterRecord],
    consents: ConsentCache,
    *,
    received_at_ms: int,
    token: bytes,
) -> Offer | Rejected:
    """The offer that a delivery makes, or why it makes none.

    Args:
        delivery: As it came.
        topic: Its topic, parsed.
        tenant: The topic's tenant.
        registers: Of that tenant, the topic's register among them if it is known.
        consents: Remembers what was verified.
        received_at_ms: By the cloud's clock.
        token: 16 random bytes.
    """
    message_id = claimed_id(delivery.payload)
    try:
        # 1. Form and place.
        unverified = envelope.parse(delivery.payload, topic)
        message_id = unverified.header.message_id
        # 2. Who sends.
        tenant, register = _sender(topic, tenant, registers)
        # 3. Signature, attachments, payload.
        message = envelope.verify(unverified, _keys(register, topic))
        _check_named(message)
        # 4. The signatures of the consent that it brings.
        consent = None
        if topic.kind in (Up.FRAME, Up.CONSENT):
            consent = consents.verified(message, register, tenant)
    except RefusedMessage as error:
        return Rejected(error.reason, str(error), message_id)
    return Offer(message, tenant, register, received_at_ms, token, consent)


def claimed_id(message: bytes) -> bytes | None:
    """The id that a message seems to have, without parsing it: good for an answer to its sender only."""
    head = message[: 2 * HEADER_MAX_BYTES]
    start = head.find(_ID_LABEL)
    found = head[start + len(_ID_LABEL) :][: envelope.MESSAGE_ID_BYTES] if start >= 0 else b""
    return found if len(found) == envelope.MESSAGE_ID_BYTES else None


def _sender(
    topic: Topic, tenant: TenantRecord | None, registers: Mapping[str, RegisterRecord]
) -> tuple[TenantRecord, RegisterRecord]:
    register = registers.get(topic.identity.register)
    if tenant is None or register is None:
        raise RefusedMessage(Reason.UNKNOWN_REGISTER, f"{topic.identity} was never enrolled here")
    # Revoked when it is received, whatever its clock says; the withdrawal of a customer is heard even then.
    if register.revoked and topic.kind is not Up.WITHDRAWAL:
        raise RefusedMessage(Reason.REVOKED, f"{topic.identity} was revoked")
    return tenant, register


def _check_named(message: VerifiedMessage) -> None:
    """Records are named by themselves: one that is sent again under another id would count twice."""
    match message.payload:
        case InteractionUp(interaction=record) | OutcomeUp(outcome=record):
            if record != message.header.message_id:
                raise RefusedMessage(Reason.BAD_PAYLOAD, "the header's id is not that of the record")


def _keys(register: RegisterRecord, topic: Topic) -> KeyLookup:
    return functools.partial(_key, register, topic.kind)


def _key(register: RegisterRecord, kind: object, kid: bytes) -> KeyRecord | None:
    """A register's key; when it signs matters for frames alone.

    What a till recorded while its clock was years ahead, and still holds when it enrols again, was signed
    with the key before. A thief of that key writes whatever time he likes.
    """
    record = register.keys.get(kid)
    if record is None:
        return None
    if kind is Up.FRAME:
        return replace(record, valid_from_ms=max(0, record.valid_from_ms - _CLOCK_SLACK_MS))
    return KeyRecord(record.key)
