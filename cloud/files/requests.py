"""From bytes to a file request that is believed: place, form, register, signature. Pure."""

from typing import Final

from cloud.collector.known_senders import Senders
from cloud.collector.values import Delivery
from wire_protocol import envelope
from wire_protocol.envelope import KeyRecord, UnverifiedMessage, VerifiedMessage
from wire_protocol.errors import RefusedMessage
from wire_protocol.fleet_messages import FileRequestUp
from wire_protocol.reasons import Reason
from wire_protocol.topics import Topic, Up

REQUEST_MAX_BYTES: Final = 2048
"""Header, path and signature take less than 700."""
ASK_AGAIN: Final = frozenset({Reason.UNKNOWN_REGISTER, Reason.UNKNOWN_KEY})
"""Refusals that may only mean that a register or its key is newer than what is remembered."""


def parsed(delivery: Delivery) -> UnverifiedMessage:
    """The request as it claims to be; its sender is the broker's word about the topic.

    Raises:
        RefusedMessage: `bad-topic`, `too-large`, or what `envelope.parse` says.
    """
    topic = Topic.parse(delivery.topic)
    if topic.kind is not Up.FILE_REQUEST:
        raise RefusedMessage(Reason.BAD_TOPIC, f"the file service takes nothing of kind {topic.kind}")
    size = len(delivery.payload)
    if size > REQUEST_MAX_BYTES:
        raise RefusedMessage(Reason.TOO_LARGE, f"{size} bytes, allowed are {REQUEST_MAX_BYTES}")
    return envelope.parse(delivery.payload, topic)


def verified(unverified: UnverifiedMessage, senders: Senders, now_ms: int) -> VerifiedMessage:
    """The request; its payload is a `FileRequestUp`, whose path cannot climb.

    Args:
        unverified: As it claims to be.
        senders: The chain, and the register if it is known.
        now_ms: By the cloud's clock.

    Raises:
        RefusedMessage: It is not believed, or the register was revoked.
    """
    identity = unverified.header.topic.identity
    register = senders.registers.get(identity.register)
    if senders.tenant is None or register is None:
        raise RefusedMessage(Reason.UNKNOWN_REGISTER, f"{identity} was never enrolled here")
    if register.revoked:
        raise RefusedMessage(Reason.REVOKED, f"{identity} was revoked")
    # A key is good while it is the register's, by our clock: a till whose own clock is wrong needs releases.
    live = {
        kid: KeyRecord(record.key) for kid, record in register.keys.items() if now_ms <= record.valid_until_ms
    }
    return envelope.verify(unverified, live.get)


def request_in(message: VerifiedMessage) -> FileRequestUp:
    """What it asks for."""
    assert isinstance(message.payload, FileRequestUp), "the topic's kind says so"
    return message.payload
