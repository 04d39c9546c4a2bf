"""Receipts are pure functions of rows."""

import pytest

from cloud.collector import receipts
from cloud.collector.values import Row, State
from tests.builders.frame_sender import Sender
from wire_protocol import envelope
from wire_protocol.envelope import KeyRecord
from wire_protocol.keys import SigningKey
from wire_protocol.messages import Verdict
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Topic

KEY = SigningKey.generate()
ROW = Row("till-1", bytes(16), bytes(32), State.STORED, 1_790_000_000_000, 0, version="v1")


def test_the_same_row_gives_the_same_bytes() -> None:
    """So a repeat cannot be told from the first answer (T3)."""
    identity = Sender().identity
    first, second = (receipts.sign(receipts.of_row(ROW), identity, KEY) for _ in range(2))
    assert first == second
    topic = Topic(identity, Down.RECEIPT)
    verified = envelope.verify(envelope.parse(first, topic), {KEY.kid: KeyRecord(KEY.verification_key)}.get)
    assert verified.payload == receipts.of_row(ROW)
    assert (verified.header.message_id, verified.header.sequence) == (ROW.message_id, 0)
    assert verified.header.at_ms == ROW.received_at_ms


@pytest.mark.parametrize(
    ("state", "reason", "verdict"),
    [
        (State.STORED, None, Verdict.STORED),
        (State.REFUSED, Reason.TOO_OLD, Verdict.REFUSED),
        (State.GONE, None, Verdict.GONE),
    ],
)
def test_every_settled_state_has_its_verdict(state: State, reason: Reason | None, verdict: Verdict) -> None:
    """Only what is stored has a version."""
    row = Row("till-1", bytes(16), bytes(32), state, 1, 0, reason, "v1")
    receipt = receipts.of_row(row)
    assert (receipt.verdict, receipt.reason) == (verdict, reason)
    assert (receipt.version is not None) == (verdict is Verdict.STORED)


def test_a_claim_says_nothing_yet() -> None:
    """A receipt of it would be a promise nobody can keep."""
    with pytest.raises(KeyError):
        receipts.of_row(Row("till-1", bytes(16), bytes(32), State.CLAIMED, 1, 0))
