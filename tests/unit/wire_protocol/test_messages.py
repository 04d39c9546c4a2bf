from dataclasses import replace
from typing import Any

import pytest

from tests.builders import wire_messages as wire
from wire_protocol import messages
from wire_protocol.errors import RefusedMessage
from wire_protocol.fields import decode_payload, encode_payload, from_value, to_value
from wire_protocol.limits import ATTACHMENTS_MAX, COUNT_MAX, PAYLOAD_MAX_BYTES
from wire_protocol.messages import ATTACHED, PAYLOADS, ReceiptDown, Verdict
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Up


def test_every_kind_has_one_payload() -> None:
    """And no payload stands for two kinds."""
    assert set(PAYLOADS) == {*Up, *Down}
    assert len(set(PAYLOADS.values())) == len(PAYLOADS)


def test_only_frames_consents_and_file_blocks_carry_something() -> None:
    """And as much as the limit says."""
    assert set(ATTACHED) == {Up.FRAME, Up.CONSENT, Down.FILE_BLOCK}
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
    """64 counters with the longest names, 64 flavours, the longest words."""
    report = wire.FULL_REPORT
    assert report.update is not None
    assert report.health is not None
    full = replace(
        report,
        counters=(messages.Counter("\U0001f366" * 64, (1 << 53) - 1),) * 64,
        update=replace(report.update, words="\U0001f366" * 200),
        health=replace(report.health, confidence=(COUNT_MAX,) * 10, labels=(COUNT_MAX,) * 64),
    )
    assert len(encode_payload(full)) <= PAYLOAD_MAX_BYTES


def test_a_report_from_before_releases_is_still_one() -> None:
    """Registers in the field are updated last: what was added is optional."""
    value = to_value(wire.PAYLOADS[Up.REPORT])
    assert isinstance(value, dict)
    older = {name: one for name, one in value.items() if name != "generation"}
    assert from_value(messages.ReportUp, older, "") == wire.PAYLOADS[Up.REPORT]


def test_a_full_report_comes_back_as_it_was() -> None:
    """With progress, metadata, health and a shadow."""
    assert decode_payload(messages.ReportUp, encode_payload(wire.FULL_REPORT)) == wire.FULL_REPORT
