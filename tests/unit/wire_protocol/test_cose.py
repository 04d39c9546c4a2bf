"""The generic layer, against the vectors of RFC 9052 and of the COSE working group."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders import wire_messages as wire
from wire_protocol import cbor, cose
from wire_protocol.errors import RefusedMessage
from wire_protocol.keys import Algorithm, VerificationKey
from wire_protocol.reasons import Reason

_PUBLIC = Path(__file__).parents[2] / "vectors" / "public"
_COSE = json.loads((_PUBLIC / "cose_sign1.json").read_text("utf-8"))
_KEYS = {
    "p256": VerificationKey(Algorithm.ES256, bytes.fromhex(_COSE["keys"]["p256"])),
    "ed25519": VerificationKey(Algorithm.EDDSA, bytes.fromhex(_COSE["keys"]["ed25519"])),
}
_KEY = wire.REGISTER_KEY


@pytest.mark.parametrize("case", _COSE["cases"], ids=lambda case: case["name"])
def test_published_vectors(case: dict[str, Any]) -> None:
    """T2: what others signed verifies, what others broke is refused."""
    message, aad = bytes.fromhex(case["message"]), bytes.fromhex(case["external_aad"])
    if case["result"] == "valid":
        assert cose.cose_verify(message, _KEYS[case["key"]], aad).payload == b"This is the content."
    else:
        with pytest.raises(RefusedMessage) as refused:
            cose.cose_verify(message, _KEYS[case["key"]], aad)
        assert refused.value.reason is Reason(case["result"])


@pytest.mark.parametrize(
    "key", [wire.REGISTER_KEY, wire.REGISTER_P256_KEY], ids=lambda key: key.algorithm.name
)
def test_what_is_signed_verifies(key: Any) -> None:
    """Headers and payload come back as they were given, with the algorithm."""
    message = cose.cose_sign({cose.HEADER_KEY_ID: b"11", "at": 7}, b"content", key, b"aad")
    parsed = cose.cose_verify(message, key.verification_key, b"aad")
    assert parsed.protected == {1: int(key.algorithm), 4: b"11", "at": 7}
    assert parsed.unprotected == {}
    assert parsed.payload == b"content"
    for other in (b"", b"aad2"):
        with pytest.raises(RefusedMessage) as refused:
            cose.cose_verify(message, key.verification_key, other)
        assert refused.value.reason is Reason.BAD_SIGNATURE


def _message(protected: dict[int | str, Any] | bytes, *rest: Any) -> bytes:
    protected_bytes = protected if isinstance(protected, bytes) else cbor.encode(protected)
    return cose.TAG + cbor.encode([protected_bytes, *rest])


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xd2",
        _message({}, {}, b"", b"")[1:],
        b"\xd8\x12" + _message({}, {}, b"", b"")[1:],
        b"\xd2" + _message({}, {}, b"", b""),
        _message({}, {}, b""),
        _message({}, {}, b"", b"", b""),
        _message({}, [], b"", b""),
        _message({}, {}, None, b""),
        _message({}, {}, "text", b""),
        _message({}, {}, b"", None),
        _message(cbor.encode([]), {}, b"", b""),
        _message(b"\xa0\x00", {}, b"", b""),
        _message(bytes.fromhex("a201260126"), {}, b"", b""),
        _message(bytes.fromhex("bf0126ff"), {}, b"", b""),
        _message({}, {}, b"", b"") + b"\x00",
    ],
    ids=["empty", "tag alone", "no tag", "tag in two bytes", "tag twice", "three parts", "five parts",
         "unprotected no map", "detached payload", "payload a text", "no signature", "protected no map",
         "bytes after protected", "label twice", "indefinite protected", "bytes after it"],
)  # fmt: skip
def test_other_forms_are_malformed(message: bytes) -> None:
    """T2: one structure, one encoding."""
    with pytest.raises(RefusedMessage) as refused:
        cose.cose_parse(message)
    assert refused.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("algorithm", [-7, -8.0, "EdDSA", None, True, [-8], -19, 0], ids=repr)
def test_another_name_for_the_algorithm_is_refused(algorithm: Any) -> None:
    """T2: even where the signature over that very header is right, and where Python calls the two equal."""
    protected = cbor.encode({1: algorithm})
    signature = _KEY.sign(cbor.encode(["Signature1", protected, b"", b"payload"]))
    with pytest.raises(RefusedMessage) as refused:
        cose.cose_verify(_message(protected, {}, b"payload", signature), _KEY.verification_key, b"")
    assert refused.value.reason is Reason.WRONG_ALGORITHM


def test_no_algorithm_is_refused() -> None:
    """T2: neither in an empty header, nor in one of no bytes."""
    for protected in (b"", b"\xa0"):
        signature = _KEY.sign(cbor.encode(["Signature1", protected, b"", b"payload"]))
        with pytest.raises(RefusedMessage) as refused:
            cose.cose_verify(_message(protected, {1: -8}, b"payload", signature), _KEY.verification_key, b"")
        assert refused.value.reason is Reason.WRONG_ALGORITHM


def test_the_twin_of_an_ecdsa_signature_is_refused() -> None:
    """T2, T3: who carries a message cannot turn it into other bytes that verify too."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    key = wire.REGISTER_P256_KEY
    parsed = cose.cose_parse(cose.cose_sign({}, b"payload", key, b""))
    s = int.from_bytes(parsed.signature[32:])
    twin = parsed.signature[:32] + (order - s).to_bytes(32)
    assert key.verification_key.verifies(twin, parsed.signed_bytes(b"")), "mathematically it is right"
    cose.check_signature(parsed, key.verification_key, b"")
    with pytest.raises(RefusedMessage) as refused:
        cose.check_signature(
            cose.Sign1(parsed.protected_bytes, parsed.protected, {}, parsed.payload, twin),
            key.verification_key,
            b"",
        )
    assert refused.value.reason is Reason.BAD_SIGNATURE
