"""What reaches the cloud, as the collector's log tells it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wire_protocol.errors import RefusedMessage
from wire_protocol.topics import Topic, Up

_FATES = {"message.stored": "stored", "message.refused": "refused", "message.gone": "gone"}


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message that the collector has dealt with; nothing of its content."""

    register: str
    """As the certificate has it: tenant/register."""
    kind: Up
    fate: str
    """`stored`, `refused` or `gone`."""
    message_id: str
    size_bytes: int
    took_ms: float
    reason: str


def arrival_of(record: Mapping[str, Any]) -> Arrival | None:
    """The arrival that a line of the collector's log tells of; None for every other line."""
    fate = _FATES.get(record.get("event", ""))
    if fate is None:
        return None
    try:
        topic = Topic.parse(record["topic"])
    except RefusedMessage:
        return None  # refused for that: it belongs to no register
    if not isinstance(topic.kind, Up):
        return None
    return Arrival(
        register=str(topic.identity),
        kind=topic.kind,
        fate=fate,
        message_id=record["message_id"],
        size_bytes=record["bytes"],
        took_ms=record["took_ms"],
        reason=record["reason"],
    )
