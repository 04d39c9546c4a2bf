"""T5 and T6: a consent counts as it was given, for what and by whom; nothing in it can be edited."""

import hashlib
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest

from tests.builders import wire_messages as wire
from wire_protocol import cbor, consent, cose
from wire_protocol.consent import Blank, Consent, Method, Purpose, VerifiedConsent
from wire_protocol.errors import RefusedMessage
from wire_protocol.fields import encode_payload
from wire_protocol.keys import SigningKey
from wire_protocol.limits import (
    BLANKS_PAYLOAD_MAX_BYTES,
    BLANKS_PER_MESSAGE_MAX,
    CONSENT_BLANK_MAX_BYTES,
    CONSENT_MAX_MS,
    CONSENT_RECEIPT_MAX_BYTES,
)
from wire_protocol.messages import BlanksDown
from wire_protocol.reasons import Reason
from wire_protocol.topics import Identity

_REGISTER_KEYS = wire.lookup(wire.REGISTER_KEY)
_SERVICE_KEYS = wire.lookup(wire.CONSENT_KEY)
_THIEF = wire.ed25519_key("thief")


def _verified(receipt: bytes = wire.RECEIPT_BYTES) -> VerifiedConsent:
    return consent.verify_receipt(receipt, _REGISTER_KEYS, _SERVICE_KEYS)


def _receipt_reason(data: bytes) -> Reason:
    with pytest.raises(RefusedMessage) as refused:
        _verified(data)
    return refused.value.reason


def _blank_reason(data: bytes) -> Reason:
    with pytest.raises(RefusedMessage) as refused:
        consent.verify_blank(data, _SERVICE_KEYS)
    return refused.value.reason


def test_blank_and_receipt_come_back_as_they_were_made() -> None:
    """The consent's id is the blank's."""
    assert consent.verify_blank(wire.BLANK_BYTES, _SERVICE_KEYS) == wire.BLANK
    verified = _verified()
    assert (verified.consent, verified.blank) == (wire.CONSENT, wire.BLANK)
    assert verified.consent_id == wire.BLANK.blank


# ---- T6: every field, changed --------------------------------------------------------------------------


_BLANK_CHANGES: dict[str, Any] = {
    "blank": bytes(16),
    "tenant": "gelateria-sud",
    "register": "till-08",
    "public_key": wire.label_bytes("a key that the thief has"),
    "issued_at": wire.BLANK.issued_at + 1,
    "usable_until": wire.BLANK.usable_until + 86_400_000,
}
_CONSENT_CHANGES: dict[str, Any] = {
    "blank": consent.make_blank(replace(wire.BLANK, blank=bytes(16)), wire.CONSENT_KEY),
    "interaction": bytes(16),
    "purposes": (Purpose.TRAINING,),
    "notice": bytes(32),
    "language": "de",
    "method": Method.SIGNED,
    "granted_at": wire.CONSENT.granted_at + 1,
    "expires_at": wire.CONSENT.expires_at + 86_400_000,
    "withdrawal": bytes(32),
}


def test_every_field_has_a_change() -> None:
    """A new field must come here too."""
    assert set(_BLANK_CHANGES) == {field.name for field in fields(Blank)}
    assert set(_CONSENT_CHANGES) == {field.name for field in fields(Consent)}


def _with_payload(signed: bytes, payload: bytes) -> bytes:
    """The old signature around another payload."""
    parsed = cose.cose_parse(signed)
    return cose.TAG + cbor.encode([parsed.protected_bytes, {}, payload, parsed.signature])


@pytest.mark.parametrize("name", _BLANK_CHANGES)
def test_an_edited_blank_is_forged(name: str) -> None:
    """T6: longer use, swapped key, another register: the signature does not fit, nor does another's."""
    edited = replace(wire.BLANK, **{name: _BLANK_CHANGES[name]})
    assert _blank_reason(_with_payload(wire.BLANK_BYTES, encode_payload(edited))) is Reason.CONSENT_FORGED
    assert _blank_reason(consent.make_blank(edited, _THIEF)) is Reason.CONSENT_FORGED
    assert _blank_reason(consent.make_blank(edited, wire.REGISTER_KEY)) is Reason.CONSENT_FORGED
    # Nor inside a receipt that the register rightly signed.
    filled = replace(wire.CONSENT, blank=consent.make_blank(edited, wire.REGISTER_KEY))
    assert _receipt_reason(consent.make_receipt(filled, wire.REGISTER_KEY)) is Reason.CONSENT_FORGED


@pytest.mark.parametrize("name", _CONSENT_CHANGES)
def test_an_edited_receipt_is_forged(name: str) -> None:
    """T6: longer expiry, other purposes, another notice."""
    edited = replace(wire.CONSENT, **{name: _CONSENT_CHANGES[name]})
    assert _receipt_reason(_with_payload(wire.RECEIPT_BYTES, encode_payload(edited))) is Reason.CONSENT_FORGED
    assert _receipt_reason(consent.make_receipt(edited, _THIEF)) is Reason.CONSENT_FORGED
    assert _receipt_reason(consent.make_receipt(edited, wire.CONSENT_KEY)) is Reason.CONSENT_FORGED


def _forms(signed: bytes, payload: object, key: SigningKey, aad: bytes, foreign: bytes) -> Iterator[bytes]:
    """What is signed by the right key, and still not of the right form."""
    encoded = encode_payload(payload)
    kid = {cose.HEADER_KEY_ID: key.kid}
    yield signed + b"\0"
    yield signed[1:]
    yield signed[:-1]
    yield b""
    yield foreign
    yield cose.cose_sign(kid, encoded, key, b"")
    yield cose.cose_sign(kid, encoded, key, b"topscoop/1/up")
    yield cose.cose_sign({}, encoded, key, aad)
    yield cose.cose_sign({4: key.kid.hex()}, encoded, key, aad)
    yield cose.cose_sign({4: key.kid, 3: 0}, encoded, key, aad)
    yield cose.cose_sign({4: key.kid, 2: []}, encoded, key, aad)
    yield cose.cose_sign(kid, encoded + b"\0", key, aad)
    yield cose.cose_sign(kid, b"\xa0", key, aad)
    yield cose.cose_sign(kid, cbor.encode({**cbor.decode(encoded), "extra": 1}), key, aad)
    for name in cbor.decode(encoded):
        yield cose.cose_sign(kid, cbor.encode({**cbor.decode(encoded), name: None}), key, aad)
        yield cose.cose_sign(kid, cbor.encode({**cbor.decode(encoded), name: True}), key, aad)
        missing = {other: value for other, value in cbor.decode(encoded).items() if other != name}
        yield cose.cose_sign(kid, cbor.encode(missing), key, aad)
    parsed = cose.cose_parse(signed)
    yield cose.TAG + cbor.encode([parsed.protected_bytes, {4: key.kid}, parsed.payload, parsed.signature])


def test_blanks_of_another_form_are_forged() -> None:
    """T6: another context, header or field, even under the tenant's own key."""
    for form in _forms(wire.BLANK_BYTES, wire.BLANK, wire.CONSENT_KEY, consent.AAD_BLANK, wire.RECEIPT_BYTES):
        assert _blank_reason(form) is Reason.CONSENT_FORGED


def test_receipts_of_another_form_are_forged() -> None:
    """T6: the same for what the register signs."""
    for form in _forms(
        wire.RECEIPT_BYTES, wire.CONSENT, wire.REGISTER_KEY, consent.AAD_RECEIPT, wire.BLANK_BYTES
    ):
        assert _receipt_reason(form) is Reason.CONSENT_FORGED


def test_oversized_ones_are_not_even_parsed() -> None:
    """The limit comes first."""
    with pytest.raises(RefusedMessage, match="allowed are 1024"):
        consent.verify_blank(bytes(CONSENT_BLANK_MAX_BYTES + 1), _SERVICE_KEYS)
    with pytest.raises(RefusedMessage, match="allowed are 4096") as refused:
        _verified(bytes(CONSENT_RECEIPT_MAX_BYTES + 1))
    assert refused.value.reason is Reason.CONSENT_FORGED


def test_the_longest_of_each_fits_its_limit() -> None:
    """And a full message of blanks fits a message."""
    blank = replace(wire.BLANK, tenant="t" * 32, register="r" * 31, usable_until=(1 << 48) - 1)
    data = consent.make_blank(blank, wire.p256_key("consent"))
    assert len(data) <= CONSENT_BLANK_MAX_BYTES
    receipt = consent.make_receipt(
        replace(wire.CONSENT, blank=data, language="x" * 16), wire.REGISTER_P256_KEY
    )
    assert len(receipt) <= CONSENT_RECEIPT_MAX_BYTES
    full = encode_payload(BlanksDown(blanks=(data,) * BLANKS_PER_MESSAGE_MAX))
    assert len(full) <= BLANKS_PAYLOAD_MAX_BYTES


# ---- T5: whose, where, until when, for what ------------------------------------------------------------


@pytest.mark.parametrize(
    ("expires_after", "purposes"),
    [
        (0, (Purpose.TRAINING,)),
        (-1, (Purpose.TRAINING,)),
        (CONSENT_MAX_MS + 1, (Purpose.TRAINING,)),
        (1, (Purpose.TRAINING, Purpose.TRAINING)),
    ],
)
def test_impossible_consents_cannot_be_made(expires_after: int, purposes: tuple[Purpose, ...]) -> None:
    """T5: over before it begins, longer than the law allows, a purpose twice."""
    granted = wire.CONSENT.granted_at
    with pytest.raises(ValueError):
        replace(wire.CONSENT, expires_at=granted + expires_after, purposes=purposes)
    value = {**cbor.decode(encode_payload(wire.CONSENT)), "expires_at": granted + expires_after,
             "purposes": [str(purpose) for purpose in purposes]}  # fmt: skip
    signed = cose.cose_sign(
        {4: wire.REGISTER_KEY.kid}, cbor.encode(value), wire.REGISTER_KEY, consent.AAD_RECEIPT
    )
    assert _receipt_reason(signed) is Reason.CONSENT_FORGED


def test_the_longest_consent_is_three_years() -> None:
    """T5: to the millisecond."""
    longest = replace(wire.CONSENT, expires_at=wire.CONSENT.granted_at + CONSENT_MAX_MS)
    assert _verified(consent.make_receipt(longest, wire.REGISTER_KEY)).consent == longest


def test_a_consent_is_one_registers_and_one_interactions() -> None:
    """T5: no other tenant's, register's or interaction's, and of a blank that was still usable."""
    verified = _verified()
    consent.check_consent(verified, wire.IDENTITY, wire.INTERACTION)
    for identity, interaction in [
        (Identity("gelateria-sud", wire.REGISTER), wire.INTERACTION),
        (Identity(wire.TENANT, "till-08"), wire.INTERACTION),
        (wire.IDENTITY, bytes(16)),
    ]:
        with pytest.raises(RefusedMessage) as refused:
            consent.check_consent(verified, identity, interaction)
        assert refused.value.reason is Reason.CONSENT_FOREIGN


@pytest.mark.parametrize("late_ms", [0, 1])
def test_a_blank_can_be_filled_to_its_last_millisecond(late_ms: int) -> None:
    """T5: and not later."""
    granted = wire.BLANK.usable_until + late_ms
    filled = replace(wire.CONSENT, granted_at=granted, expires_at=granted + 1)
    verified = _verified(consent.make_receipt(filled, wire.REGISTER_KEY))
    if late_ms:
        with pytest.raises(RefusedMessage) as refused:
            consent.check_consent(verified, wire.IDENTITY, wire.INTERACTION)
        assert refused.value.reason is Reason.BLANK_STALE
    else:
        consent.check_consent(verified, wire.IDENTITY, wire.INTERACTION)


def test_a_consent_covers_its_purposes_until_it_expires() -> None:
    """T5: the last millisecond is not covered."""
    only = replace(wire.CONSENT, purposes=(Purpose.EVALUATION,))
    verified = _verified(consent.make_receipt(only, wire.REGISTER_KEY))
    consent.check_covers(verified, Purpose.EVALUATION, only.expires_at - 1)
    for purpose, at_ms, reason in [
        (Purpose.TRAINING, only.granted_at, Reason.CONSENT_PURPOSE),
        (Purpose.EVALUATION, only.expires_at, Reason.CONSENT_EXPIRED),
    ]:
        with pytest.raises(RefusedMessage) as refused:
            consent.check_covers(verified, purpose, at_ms)
        assert refused.value.reason is reason


def test_a_key_of_another_purpose_signs_no_blanks() -> None:
    """T6: the key that signs receipts of storage is none for consents."""
    with pytest.raises(RefusedMessage) as refused:
        consent.verify_receipt(wire.RECEIPT_BYTES, _REGISTER_KEYS, wire.lookup(wire.RECEIPTS_KEY))
    assert refused.value.reason is Reason.CONSENT_FORGED


@pytest.mark.parametrize("typed", ["7K3M-Q9TX-2VBD-H6RA", "7k3mq9tx2vbdh6ra", "7K3M Q9TX 2VBD H6RA"])
def test_a_withdrawal_code_has_one_digest_however_it_is_typed(typed: str) -> None:
    assert consent.withdrawal_digest(typed) == hashlib.sha256(b"7K3M-Q9TX-2VBD-H6RA").digest()
