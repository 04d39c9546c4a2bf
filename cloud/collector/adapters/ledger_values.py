"""Rows as parameters of statements, and back."""

from typing import Any

from cloud.collector.rows import json_body
from cloud.collector.values import Ending, Offer, Row, Ruling, State, Store
from wire_protocol.messages import FrameUp, InteractionUp, OutcomeUp
from wire_protocol.reasons import Reason


def row_of(found: Any) -> Row:
    """A row as the rules see it."""
    return Row(
        register=found.register,
        message_id=found.message_id,
        sha256=found.sha256,
        state=State(found.state),
        received_at_ms=found.received_at_ms,
        attempts=found.attempts,
        reason=Reason(found.reason) if found.reason is not None else None,
        version=found.version,
        token=found.token,
        lease_until_ms=found.lease_until_ms,
    )


def row_values(tenant: str, row: Row, kind: str, size: int, *, late: bool) -> dict[str, Any]:
    """A row of `messages`."""
    return {
        "tenant": tenant,
        "register": row.register,
        "message_id": row.message_id,
        "kind": kind,
        "sha256": row.sha256,
        "state": row.state.value,
        "reason": row.reason.value if row.reason else None,
        "received_at_ms": row.received_at_ms,
        "size": size,
        "late": late,
        "token": row.token,
        "lease_until_ms": row.lease_until_ms,
        "attempts": row.attempts,
        "version": row.version,
    }


def consent_id_of(offer: Offer) -> bytes:
    """The consent of a frame."""
    assert offer.consent is not None, "what is claimed is a frame, and a frame has a consent"
    return offer.consent.consent_id


def consent_values(tenant: str, offer: Offer) -> dict[str, Any]:
    """A row of `consents`."""
    assert offer.consent is not None
    consent = offer.consent.consent
    return {
        "tenant": tenant,
        "consent": offer.consent.consent_id,
        "register": offer.message.identity.register,
        "interaction": consent.interaction,
        "purposes": [purpose.value for purpose in consent.purposes],
        "notice": consent.notice,
        "language": consent.language,
        "method": consent.method.value,
        "granted_at_ms": consent.granted_at,
        "expires_at_ms": consent.expires_at,
        "withdrawal": consent.withdrawal,
        "receipt": offer.message.attachments[0],
        "received_at_ms": offer.received_at_ms,
    }


def sale_values(tenant: str, offer: Offer, ruling: Ruling) -> dict[str, Any]:
    """A row of `interactions` or `outcomes`."""
    payload = offer.message.payload
    values = {
        "tenant": tenant,
        "register": offer.message.identity.register,
        "received_at_ms": offer.received_at_ms,
        "late": isinstance(ruling, Store) and ruling.late,
        "body": json_body(payload),
    }
    match payload:
        case InteractionUp():
            return {
                **values,
                "interaction": payload.interaction,
                "store": payload.store,
                "shown_at_ms": payload.shown_at,
            }
        case OutcomeUp():
            return {
                **values,
                "outcome": payload.outcome,
                "store": payload.store,
                "interaction": payload.interaction,
                "sold_at_ms": payload.sold_at,
            }
    raise TypeError(f"no sale: {type(payload).__name__}")


def frame_values(tenant: str, ending: Ending, now_ms: int) -> dict[str, Any]:
    """A row of `frames`."""
    message = ending.offer.message
    frame = message.payload
    assert isinstance(frame, FrameUp)
    return {
        "tenant": tenant,
        "register": message.identity.register,
        "message_id": message.header.message_id,
        "interaction": frame.interaction,
        "consent": frame.consent,
        "object_key": ending.claim.object_key,
        "version": ending.version,
        "size": len(message.message),
        "captured_at_ms": frame.captured_at,
        "stored_at_ms": now_ms,
        "expires_at_ms": ending.claim.expires_at_ms,
    }
