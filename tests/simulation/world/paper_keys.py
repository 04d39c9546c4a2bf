"""Keys that sign with a keyed hash: a stand-in for Ed25519 at a thirtieth of its cost.

A forger of the simulation does not know the secret, which is all that the protocol asks of a signature here.
Real signatures have their own tests (`tests/unit/wire_protocol`), and every hundredth seed runs with them.
"""

import hashlib
import hmac
import random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wire_protocol.keys import Algorithm, SigningKey, VerificationKey


class PaperVerificationKey(VerificationKey):
    """Verifies what a PaperSigningKey of the same secret signed."""

    def __init__(self, secret: bytes) -> None:
        public = hashlib.sha256(b"public" + secret).digest()
        object.__setattr__(self, "algorithm", Algorithm.EDDSA)
        object.__setattr__(self, "public", public)
        object.__setattr__(self, "_secret", secret)

    def verifies(self, signature: bytes, data: bytes) -> bool:
        return hmac.compare_digest(signature, _tag(self._secret, data))  # type: ignore[attr-defined]


class PaperSigningKey(SigningKey):
    """Signs with a keyed hash of 64 bytes, as long as an Ed25519 signature."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.verification_key = PaperVerificationKey(secret)

    def sign(self, data: bytes) -> bytes:
        return _tag(self._secret, data)


def _tag(secret: bytes, data: bytes) -> bytes:
    return hashlib.blake2b(data, key=secret, digest_size=64).digest()


def new_key(chance: random.Random, *, real: bool) -> SigningKey:
    """A key that follows from the seed."""
    secret = chance.randbytes(32)
    return SigningKey(Ed25519PrivateKey.from_private_bytes(secret)) if real else PaperSigningKey(secret)
