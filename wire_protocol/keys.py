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
        """Refuse what is no key.

        Raises:
            ValueError: The bytes are no public key of that algorithm.
        """
        _ = self._key

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
        """The signature as COSE carries it: 64 bytes with either algorithm."""
        if isinstance(self._private, ed25519.Ed25519PrivateKey):
            return self._private.sign(data)
        der = self._private.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        r, s = utils.decode_dss_signature(der)
        return r.to_bytes(_COORDINATE_BYTES) + s.to_bytes(_COORDINATE_BYTES)


def _verification_key(private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> VerificationKey:
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return VerificationKey(Algorithm.EDDSA, private.public_key().public_bytes_raw())
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return VerificationKey(Algorithm.ES256, point)
