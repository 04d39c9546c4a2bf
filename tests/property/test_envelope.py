"""T2 and T6 to the last byte: whatever is changed on the way, the message is refused."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import wire_messages as wire
from wire_protocol import consent, envelope
from wire_protocol.errors import RefusedMessage
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Kind, Up

Check = Callable[[bytes], object]

_SERVICE_KEYS = wire.lookup(wire.CONSENT_KEY)
_REGISTER_KEYS = wire.lookup(wire.REGISTER_KEY)


def _check_message(example: wire.Example) -> Check:
    return lambda data: envelope.verify(envelope.parse(data, example.header.topic), example.keys)


def _cases() -> Iterator[tuple[str, bytes, Check]]:
    for kind in wire.KINDS:
        example = wire.example(kind, sealed=bytes(range(256)))
        yield str(example.header.topic), example.message, _check_message(example)
    for kind in (Up.WITHDRAWAL, Up.CONSENT, Down.RECEIPT):
        example = wire.example(kind, key=wire.REGISTER_P256_KEY)
        yield f"{kind} with ES256", example.message, _check_message(example)
    yield "consent blank", wire.BLANK_BYTES, lambda data: consent.verify_blank(data, _SERVICE_KEYS)
    yield (
        "consent receipt",
        wire.RECEIPT_BYTES,
        lambda data: consent.verify_receipt(data, _REGISTER_KEYS, _SERVICE_KEYS),
    )


_CASES = [pytest.param(data, check, id=name) for name, data, check in _cases()]


def _refused(data: bytes, check: Check) -> None:
    with pytest.raises(RefusedMessage):
        check(data)


@pytest.mark.parametrize(("data", "check"), _CASES)
def test_every_flipped_byte_is_refused(data: bytes, check: Check) -> None:
    """T2, T6: each byte of each kind with its lowest bit, its highest and all bits turned."""
    check(data)
    for position, byte in enumerate(data):
        for mask in (0x01, 0x80, 0xFF):
            _refused(data[:position] + bytes([byte ^ mask]) + data[position + 1 :], check)


@given(st.sampled_from(_CASES), st.data())
def test_any_other_byte_is_refused(case: object, data: st.DataObject) -> None:
    """T2, T6: any byte at any place."""
    message, check = case.values  # type: ignore[attr-defined]
    position = data.draw(st.integers(0, len(message) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != message[position]))
    _refused(message[:position] + bytes([byte]) + message[position + 1 :], check)


@pytest.mark.parametrize(("data", "check"), _CASES)
def test_every_truncation_is_refused(data: bytes, check: Check) -> None:
    """T2: from nothing to all but the last byte, and all but the first."""
    for length in range(len(data)):
        _refused(data[:length], check)
        _refused(data[len(data) - length :], check)


@pytest.mark.parametrize(("data", "check"), _CASES)
def test_every_appended_or_doubled_byte_is_refused(data: bytes, check: Check) -> None:
    """T2: after the end, before the beginning, and anywhere between."""
    for byte in range(256):
        _refused(data + bytes([byte]), check)
        _refused(bytes([byte]) + data, check)
    for position in range(len(data)):
        _refused(data[:position] + data[position : position + 1] + data[position:], check)
    _refused(data + data, check)


@given(st.sampled_from(_CASES), st.binary(max_size=300))
def test_noise_is_refused_and_never_crashes(case: object, noise: bytes) -> None:
    """T2, T19: whatever arrives, the answer is a refusal."""
    _message, check = case.values  # type: ignore[attr-defined]
    _refused(noise, check)


@pytest.mark.parametrize("signed", wire.KINDS, ids=str)
def test_no_message_passes_on_another_topic(signed: Kind) -> None:
    """T2, T3: not on another kind's, another register's, another tenant's."""
    example = wire.example(signed)
    others = [wire.on_topic(kind) for kind in wire.KINDS if kind is not signed]
    others += [wire.on_topic(signed, register="till-08"), wire.on_topic(signed, tenant="gelateria-sud")]
    for topic in others:
        with pytest.raises(RefusedMessage) as refused:
            envelope.parse(example.message, topic)
        assert refused.value.reason is Reason.IDENTITY_MISMATCH
