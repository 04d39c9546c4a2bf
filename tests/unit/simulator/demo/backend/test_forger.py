import pytest

from simulator.demo.backend.forger import forged
from tests.builders.wire_messages import example, lookup, on_topic, signer
from wire_protocol import envelope
from wire_protocol.errors import RefusedMessage
from wire_protocol.reasons import Reason
from wire_protocol.topics import Up


def test_a_forgery_looks_right_and_only_its_signature_is_wrong() -> None:
    """T1: whoever reads and writes at the broker has all of a register but its key."""
    topic = on_topic(Up.FRAME)
    genuine = example(Up.FRAME).message
    message_id, message = forged(genuine, topic)
    seen, real = envelope.parse(message, topic), envelope.parse(genuine, topic)
    assert (seen.kid, seen.attachments) == (real.kid, real.attachments)
    assert seen.header.message_id == message_id != real.header.message_id
    with pytest.raises(RefusedMessage) as refused:
        envelope.verify(seen, lookup(signer(Up.FRAME)))
    assert refused.value.reason is Reason.BAD_SIGNATURE
