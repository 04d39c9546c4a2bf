"""Keys against the vectors of RFC 8032 and Wycheproof, and against what is no key."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.builders import wire_messages as wire
from wire_protocol.keys import KEY_ID_BYTES, Algorithm, SigningKey, VerificationKey

_PUBLIC = Path(__file__).parents[2] / "vectors" / "public"
_PRIME = 2**255 - 19
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def _cases(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((_PUBLIC / name).read_text("utf-8"))["cases"]
    return cases


@pytest.mark.parametrize("case", _cases("rfc8032_ed25519.json"))
def test_ed25519_is_that_of_rfc_8032(case: dict[str, str]) -> None:
    """Its keys and signatures, byte for byte."""
    secret, public, message, signature = (
        bytes.fromhex(case[name]) for name in ("secret", "public", "message", "signature")
    )
    key = SigningKey(ed25519.Ed25519PrivateKey.from_private_bytes(secret))
    assert key.verification_key == VerificationKey(Algorithm.EDDSA, public)
    assert key.sign(message) == signature
    assert key.verification_key.verifies(signature, message)


def _verifies(algorithm: Algorithm, case: dict[str, Any]) -> bool:
    try:
        key = VerificationKey(algorithm, bytes.fromhex(case["public"]))
    except ValueError:
        return False
    return key.verifies(bytes.fromhex(case["signature"]), bytes.fromhex(case["message"]))


def test_wycheproof_ed25519() -> None:
    """T2: no invalid signature passes, no valid one fails; keys of small order are refused as keys."""
    cases = _cases("wycheproof_ed25519.json")
    passed = {case["id"] for case in cases if _verifies(Algorithm.EDDSA, case)}
    assert len(cases) > 150
    assert {case["id"] for case in cases if case["result"] == "invalid"} & passed == set()
    assert {case["id"] for case in cases if case["result"] == "valid"} - passed == set()


def test_wycheproof_p256() -> None:
    """T2: the same for ECDSA with r ‖ s; zero, the order, wrong lengths and infinity among them."""
    cases = _cases("wycheproof_p256.json")
    passed = {case["id"] for case in cases if _verifies(Algorithm.ES256, case)}
    assert len(cases) > 200
    assert passed == {case["id"] for case in cases if case["result"] == "valid"}


@pytest.mark.parametrize(
    "key", [wire.REGISTER_KEY, wire.REGISTER_P256_KEY], ids=lambda key: key.algorithm.name
)
def test_signing_is_deterministic_and_of_one_length(key: SigningKey) -> None:
    """Equal input, equal message; so a message that is made again is the same message."""
    assert key.sign(b"data") == key.sign(b"data")
    assert len(key.sign(b"data")) == 64
    assert key.verification_key.verifies(key.sign(b"data"), b"data")
    assert not key.verification_key.verifies(key.sign(b"data"), b"date")


def test_ecdsa_signs_with_the_smaller_s() -> None:
    """Whatever the hash: about half of all raw signatures have the larger one."""
    for number in range(32):
        signature = wire.REGISTER_P256_KEY.sign(bytes([number]))
        assert 0 < int.from_bytes(signature[32:]) <= _P256_ORDER // 2
        assert wire.REGISTER_P256_KEY.verification_key.is_sole_form(signature)
        assert wire.REGISTER_P256_KEY.verification_key.verifies(signature, bytes([number]))


@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 72, 128])
@pytest.mark.parametrize(
    "key", [wire.REGISTER_KEY, wire.REGISTER_P256_KEY], ids=lambda key: key.algorithm.name
)
def test_signatures_of_another_length_do_not_verify(key: SigningKey, length: int) -> None:
    """T2: and raise nothing."""
    signature = (key.sign(b"") + bytes(64))[:length]
    assert not key.verification_key.verifies(signature, b"")


def test_a_padded_number_is_another_signature() -> None:
    """T2: r and s have 32 bytes each; a zero more in front would be a second form."""
    key, signature = wire.REGISTER_P256_KEY.verification_key, wire.REGISTER_P256_KEY.sign(b"")
    assert key.verifies(signature, b"")
    assert not key.verifies(signature[:32] + b"\0" + signature[32:], b"")


def test_der_signatures_do_not_verify() -> None:
    """One form only: r ‖ s."""
    private = wire.REGISTER_P256_KEY.private
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    signature = private.sign(b"", ec.ECDSA(hashes.SHA256()))
    assert not wire.REGISTER_P256_KEY.verification_key.verifies(signature, b"")


def _small_order_points() -> list[bytes]:
    """Every encoding of a point of Ed25519 whose order divides 8, canonical or not, found by arithmetic."""
    d = -121665 * pow(121666, -1, _PRIME) % _PRIME

    def double(x: int, y: int) -> tuple[int, int]:
        t = d * x * x * y * y
        x3 = 2 * x * y * pow(1 + t, -1, _PRIME) % _PRIME
        return x3, (y * y + x * x) * pow(1 - t, -1, _PRIME) % _PRIME

    root = pow(2, (_PRIME - 1) // 4, _PRIME)
    # Orders 1, 2 and 4.
    found = {(0, 1), (0, _PRIME - 1), (root, 0), (_PRIME - root, 0)}
    # Order 8: doubling gives (±root, 0), so x² = -y², and the curve says d·y⁴ + 2y² - 1 = 0.
    square = pow(1 + d, (_PRIME + 3) // 8, _PRIME)
    square = square if square * square % _PRIME == (1 + d) % _PRIME else square * root % _PRIME
    for sign in (1, -1):
        y2 = (sign * square - 1) * pow(d, -1, _PRIME) % _PRIME
        y = pow(y2, (_PRIME + 3) // 8, _PRIME)
        y = y if y * y % _PRIME == y2 else y * root % _PRIME
        if y * y % _PRIME == y2:
            x = root * y % _PRIME
            found |= {(x, y), (_PRIME - x, y), (x, _PRIME - y), (_PRIME - x, _PRIME - y)}
    for x, y in found:
        assert (y * y - x * x - 1 - d * x * x * y * y) % _PRIME == 0
        point = (x, y)
        for _ in range(3):
            point = double(*point)
        assert point == (0, 1)
    spelled = {y + offset | sign << 255 for _, y in found for offset in (0, _PRIME) for sign in (0, 1)
               if y + offset < 1 << 255}  # fmt: skip
    return [number.to_bytes(32, "little") for number in spelled]


def test_all_eight_points_of_small_order_are_no_keys() -> None:
    """T2: under such a key one signature fits many messages; non-canonical spellings included."""
    points = _small_order_points()
    assert len({int.from_bytes(point, "little") % (1 << 255) % _PRIME for point in points}) == 5
    for point in points:
        with pytest.raises(ValueError, match="small order"):
            VerificationKey(Algorithm.EDDSA, point)


def _point(key: SigningKey, form: PublicFormat) -> bytes:
    private = key.private
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return private.public_key().public_bytes(Encoding.X962, form)


@pytest.mark.parametrize(
    ("algorithm", "public"),
    [
        (Algorithm.EDDSA, b""),
        (Algorithm.EDDSA, bytes(31)),
        (Algorithm.EDDSA, wire.REGISTER_KEY.verification_key.public + b"\0"),
        (Algorithm.EDDSA, b"\xff" * 32),
        (Algorithm.EDDSA, wire.REGISTER_P256_KEY.verification_key.public),
        (Algorithm.ES256, b""),
        (Algorithm.ES256, b"\0"),
        (Algorithm.ES256, bytes(65)),
        (Algorithm.ES256, b"\4" + bytes(64)),
        (Algorithm.ES256, _point(wire.REGISTER_P256_KEY, PublicFormat.CompressedPoint)),
        (Algorithm.ES256, b"\6" + wire.REGISTER_P256_KEY.verification_key.public[1:]),
        (Algorithm.ES256, wire.REGISTER_KEY.verification_key.public),
    ],
)
def test_what_is_no_key_is_refused(algorithm: Algorithm, public: bytes) -> None:
    """Wrong lengths, points off the curve, and second spellings of a key, which would have a second id."""
    with pytest.raises(ValueError):
        VerificationKey(algorithm, public)


def test_a_key_of_another_curve_is_refused() -> None:
    """ES256 is P-256."""
    with pytest.raises(ValueError):
        SigningKey(ec.generate_private_key(ec.SECP384R1()))


def test_key_id_is_of_algorithm_and_key() -> None:
    """As the documentation says, so that others compute the same."""
    key = wire.REGISTER_KEY.verification_key
    assert key.kid == hashlib.sha256(b"EDDSA\0" + key.public).digest()[:16]
    assert len(key.kid) == KEY_ID_BYTES
    p256 = wire.REGISTER_P256_KEY.verification_key
    assert p256.kid == hashlib.sha256(b"ES256\0" + p256.public).digest()[:16]


@pytest.mark.parametrize("algorithm", Algorithm)
def test_new_keys_differ(algorithm: Algorithm) -> None:
    """And sign with what they were asked for."""
    one, other = SigningKey.generate(algorithm), SigningKey.generate(algorithm)
    assert one.algorithm is algorithm
    assert one.kid != other.kid
    assert not other.verification_key.verifies(one.sign(b""), b"")
