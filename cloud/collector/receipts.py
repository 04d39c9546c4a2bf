"""Answers: a receipt is a pure function of the row, or of the refusal that leaves none."""

from typing import Final

from cloud.collector.values import Row, State
from wire_protocol import envelope
from wire_protocol.envelope import Header
from wire_protocol.keys import SigningKey
from wire_protocol.messages import ReceiptDown, Verdict
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Identity, Topic

KIND: Final = Down.RECEIPT

_VERDICTS: Final = {
    State.STORED: Verdict.STORED,
    State.REFUSED: Verdict.REFUSED,
    State.GONE: Verdict.GONE,
}


def of_row(row: Row) -> ReceiptDown:
    """What a settled row says; a claimed one says nothing yet and raises KeyError."""
    verdict = _VERDICTS[row.state]
    return ReceiptDown(
        message=row.message_id,
        sha256=row.sha256,
        verdict=verdict,
        received_at=row.received_at_ms,
        version=row.version if verdict is Verdict.STORED else None,
        reason=row.reason,
    )


def refused(message_id: bytes, sha256: bytes, reason: Reason, received_at_ms: int) -> ReceiptDown:
    """Of a message that has no row: what was not verified, or has another's id."""
    return ReceiptDown(message_id, sha256, Verdict.REFUSED, received_at_ms, reason=reason)


def later(message_id: bytes, sha256: bytes, retry_after_ms: int, received_at_ms: int) -> ReceiptDown:
    """Nothing is wrong with it."""
    return ReceiptDown(message_id, sha256, Verdict.RETRY, received_at_ms, retry_after_ms=retry_after_ms)


def sign(receipt: ReceiptDown, identity: Identity, key: SigningKey) -> bytes:
    """The message that goes down to a register."""
    header = Header(Topic(identity, KIND), receipt.message, sequence=0, at_ms=receipt.received_at)
    return envelope.make(header, receipt, (), key)
