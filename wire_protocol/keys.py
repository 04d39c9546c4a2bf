"""Signing keys and what verifies them: Ed25519, or ECDSA on P-256 where a security chip offers no other."""

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_ID_BYTES = 16
_COORDINATE_BYTES = 32
_POINT_BYTES = 1 + 2 * _COORDINATE_BYTES
_UNCOMPRESSED = 4
_P256_ORDER = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551

_ED25519_PRIME = 2**255 - 19
_ED25519_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
# The y of every point whose order divides 8. Under such a "key" one signature fits many messages.
_ED25519_SMALL = frozenset({0, 1, _ED25519_PRIME - 1, _ED25519_ORDER_8, _ED25519_PRIME - _ED25519_ORDER_8})


class Algorithm(IntEnum):
    """Signature algorithms by their COSE numbers (RFC 9053, section 2)."""

    ES256 = -7
    EDDSA = -8


@dataclass(frozen=True)
class VerificationKey:
    """A public key and the one algorithm it may be used with.

    Args:
        algorithm: Fixed when the key was registered; a message that names another is refused.
        public: Ed25519: 32 bytes; P-256: uncompressed point, 65 bytes (SEC 1).
    """

    algorithm: Algorithm
    public: bytes

    @cached_property
    def kid(self) -> bytes:
        """The key's id: the first 16 bytes of SHA-256 over algorithm name and public bytes."""
        return hashlib.sha256(self.algorithm.name.encode() + b"\0" + self.public).digest()[:KEY_ID_BYTES]

    @cached_property
    def _key(self) -> ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey:
        if self.algorithm is Algorithm.EDDSA:
            return ed25519.Ed25519PublicKey.from_public_bytes(self.public)
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), self.public)

    def __post_init__(self) -> None:
        """Refuse what is no key, and a second spelling of one.

        Raises:
            ValueError: The bytes are no public key of that algorithm.
        """
        _ = self._key
        if self.algorithm is Algorithm.EDDSA:
            y = int.from_bytes(self.public, "little") & ((1 << 255) - 1)
            if y >= _ED25519_PRIME or y in _ED25519_SMALL:
                raise ValueError("no Ed25519 key: a point of small order, or not in its canonical form")
        elif len(self.public) != _POINT_BYTES or self.public[0] != _UNCOMPRESSED:
            raise ValueError("a P-256 key is written as its uncompressed point, 65 bytes")

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether `signature` is this key's over `data`; ECDSA signatures are r ‖ s, 64 bytes (RFC 9053)."""
        key = self._key
        try:
            if isinstance(key, ed25519.Ed25519PublicKey):
                key.verify(signature, data)
            else:
                if len(signature) != 2 * _COORDINATE_BYTES:
                    return False
                r = int.from_bytes(signature[:_COORDINATE_BYTES])
                s = int.from_bytes(signature[_COORDINATE_BYTES:])
                key.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True

    def is_sole_form(self, signature: bytes) -> bool:
        """Whether a valid signature is the one form to send: with ECDSA the smaller of s and n - s."""
        return (
            self.algorithm is Algorithm.EDDSA
            or 2 * int.from_bytes(signature[_COORDINATE_BYTES:]) <= _P256_ORDER
        )


class SigningKey:
    """A private key; ECDSA signs deterministically (RFC 6979), so equal input gives equal messages."""

    def __init__(self, private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> None:
        self._private = private
        self.verification_key = _verification_key(private)

    @classmethod
    def generate(cls, algorithm: Algorithm = Algorithm.EDDSA) -> Self:
        """A new key from the system's randomness."""
        if algorithm is Algorithm.EDDSA:
            return cls(ed25519.Ed25519PrivateKey.generate())
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @property
    def algorithm(self) -> Algorithm:
        """What it signs with."""
        return self.verification_key.algorithm

    @property
    def kid(self) -> bytes:
        """The id of its public half."""
        return self.verification_key.kid

    @property
    def private(self) -> ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey:
        """For the adapter that stores it."""
        return self._private

    def sign(self, data: bytes) -> bytes:
        """The signature as COSE carries it: 64 bytes with either algorithm, ECDSA with the smaller s."""
        if isinstance(self._private, ed25519.Ed25519PrivateKey):
            return self._private.sign(data)
        der = self._private.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        r, s = utils.decode_dss_signature(der)
        s = min(s, _P256_ORDER - s)
        return r.to_bytes(_COORDINATE_BYTES) + s.to_bytes(_COORDINATE_BYTES)


def _verification_key(private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> VerificationKey:
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return VerificationKey(Algorithm.EDDSA, private.public_key().public_bytes_raw())
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return VerificationKey(Algorithm.ES256, point)
