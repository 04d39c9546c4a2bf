"""Messages for the spool, the same for the same number; their bytes mean nothing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from edge_agent.uplink.lanes import LANE_OF, Lane
from edge_agent.uplink.spooled import Entry, Outgoing
from tests.builders.records import START_MS
from wire_protocol.messages import ReceiptDown, Verdict
from wire_protocol.topics import Up

if TYPE_CHECKING:
    from wire_protocol.reasons import Reason

FRAME_BYTES = 1000
KIND_OF = {lane: kind for kind, lane in reversed(LANE_OF.items())}


def id16(number: int, kind: str = "") -> bytes:
    """Sixteen bytes for a number."""
    return hashlib.sha256(f"{kind} {number}".encode()).digest()[:16]


def outgoing(
    number: int,
    kind: Up = Up.FRAME,
    *,
    size: int | None = None,
    at_ms: int = START_MS,
    consent: bytes | None = None,
) -> Outgoing:
    """A message; a frame has a consent of its own unless one is named."""
    if size is None:
        size = FRAME_BYTES if kind is Up.FRAME else 200
    message_id = id16(number, kind)
    message = hashlib.shake_256(message_id).digest(size)
    if kind is Up.FRAME and consent is None:
        consent = id16(number, "consent")
    return Outgoing(message_id, kind, message, hashlib.sha256(message).digest(), at_ms, consent)


def of_lane(number: int, lane: Lane) -> Outgoing:
    """A message of a lane."""
    return outgoing(number, KIND_OF[lane])


def entry(position: int, kind: Up = Up.FRAME, *, size: int | None = None) -> Entry:
    """What a spool would tell of a message."""
    made = outgoing(position, kind, size=size)
    return Entry(position, made.message_id, kind, len(made.message), made.sha256, made.consent)


def receipt(
    of: Entry | Outgoing,
    verdict: Verdict = Verdict.STORED,
    *,
    sha256: bytes | None = None,
    reason: Reason | None = None,
    retry_after_ms: int | None = None,
) -> ReceiptDown:
    """The collector's answer."""
    return ReceiptDown(
        message=of.message_id,
        sha256=of.sha256 if sha256 is None else sha256,
        verdict=verdict,
        received_at=START_MS,
        version="v1" if verdict is Verdict.STORED else None,
        reason=reason,
        retry_after_ms=retry_after_ms,
    )
