from dataclasses import replace
from typing import Any

import pytest

from tests.builders import wire_messages as wire
from wire_protocol import messages
from wire_protocol.errors import RefusedMessage
from wire_protocol.fields import encode_payload, from_value, to_value
from wire_protocol.limits import ATTACHMENTS_MAX, PAYLOAD_MAX_BYTES
from wire_protocol.messages import ATTACHED, PAYLOADS, ReceiptDown, Verdict
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Up


def test_every_kind_has_one_payload() -> None:
    """And no payload stands for two kinds."""
    assert set(PAYLOADS) == {*Up, *Down}
    assert len(set(PAYLOADS.values())) == len(PAYLOADS)


def test_only_frames_and_consents_carry_something() -> None:
    """And as much as the limit says."""
    assert set(ATTACHED) == {Up.FRAME, Up.CONSENT}
    assert max(map(len, ATTACHED.values())) == ATTACHMENTS_MAX


def _receipt(**changes: Any) -> ReceiptDown:
    parts: dict[str, Any] = {"verdict": Verdict.STORED, **changes}
    return ReceiptDown(message=bytes(16), sha256=bytes(32), received_at=0, **parts)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"version": "1"},
        {"verdict": Verdict.GONE},
        {"verdict": Verdict.REFUSED, "reason": Reason.CONFLICT},
        {"verdict": Verdict.RETRY, "retry_after_ms": 0},
    ],
)
def test_receipts_that_make_sense(changes: dict[str, Any]) -> None:
    """One per verdict."""
    assert _receipt(**changes).verdict is changes.get("verdict", Verdict.STORED)


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": Reason.CONFLICT},
        {"verdict": Verdict.REFUSED},
        {"verdict": Verdict.GONE, "reason": Reason.CONSENT_WITHDRAWN},
        {"verdict": Verdict.RETRY},
        {"retry_after_ms": 5},
        {"verdict": Verdict.REFUSED, "reason": Reason.CONFLICT, "retry_after_ms": 5},
    ],
)
def test_receipts_that_contradict_themselves_cannot_be_made(changes: dict[str, Any]) -> None:
    """T4: a register never has to guess."""
    with pytest.raises(ValueError):
        _receipt(**changes)


@pytest.mark.parametrize("digest", ["sha256:" + "0" * 57, "A" * 64, "a" * 63, "a" * 64 + "\n", ""])
@pytest.mark.parametrize("kind", [Up.INTERACTION, Up.REPORT])
def test_a_models_digest_is_written_in_one_way(kind: Up, digest: str) -> None:
    """Or one model would be counted as several."""
    value = {**to_value(wire.PAYLOADS[kind]), "model_digest": "a" * 64}
    assert from_value(PAYLOADS[kind], value, "")
    with pytest.raises(RefusedMessage) as refused:
        from_value(PAYLOADS[kind], {**value, "model_digest": digest}, "")
    assert refused.value.reason is Reason.BAD_PAYLOAD


def test_the_largest_interaction_fits_a_payload() -> None:
    """64 flavours with long names, a full context in four-byte characters."""
    name = "f" * 32
    entry = messages.ContextEntry("\U0001f366" * 32, number=0.1, text="\U0001f366" * 64)
    payload = wire.PAYLOADS[Up.INTERACTION]
    assert isinstance(payload, messages.InteractionUp)
    full = replace(
        payload,
        slate=(messages.Offered(name, 0.1),) * 3,
        in_stock=(name,) * 64,
        context=(entry,) * 16,
        scores=(0.1,) * 64,
        model_digest="a" * 64,
        model_version="\U0001f366" * 64,
    )
    assert len(encode_payload(full)) <= PAYLOAD_MAX_BYTES


def test_the_largest_report_fits_a_payload() -> None:
    """64 counters with the longest names."""
    payload = wire.PAYLOADS[Up.REPORT]
    assert isinstance(payload, messages.ReportUp)
    full = replace(payload, counters=(messages.Counter("\U0001f366" * 64, (1 << 53) - 1),) * 64)
    assert len(encode_payload(full)) <= PAYLOAD_MAX_BYTES
