"""What a link tells. None of it proves that a message was stored: only the collector's receipt does."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker accepted us; packets above `max_packet_bytes` would end the connection."""

    max_packet_bytes: int


@dataclass(frozen=True, slots=True)
class Disconnected:
    """There is no connection any more, or there never was one; `reason` is for the log."""

    reason: str


@dataclass(frozen=True, slots=True)
class PubAcked:
    """The broker took the message: it may still lose it."""

    message_id: bytes


@dataclass(frozen=True, slots=True)
class BrokerRefused:
    """The broker did not pass the message on; `code` is the reason code of MQTT 5.

    0x10 (no matching subscribers) is among them: it took the message and threw it away.
    """

    message_id: bytes
    code: int


@dataclass(frozen=True, slots=True)
class Received:
    """A message came down; nothing of it is verified."""

    topic: str
    message: bytes


LinkEvent = Connected | Disconnected | PubAcked | BrokerRefused | Received
