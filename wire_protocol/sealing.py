"""Sealing a picture to one consent's public key: HPKE in base mode (RFC 9180), one message.

DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Who destroys the private key has erased every copy.
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

PUBLIC_KEY_BYTES: Final = 32
OVERHEAD_BYTES: Final = 48
"""What sealing adds: the encapsulated key (32) and the tag of AES-GCM (16)."""

_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


class SealBroken(ValueError):
    """The sealed bytes, the key or the info are not those of the sealing."""


def seal(plaintext: bytes, public_key: bytes, info: bytes) -> bytes:
    """Encapsulated key ‖ ciphertext; randomised, so equal input gives different output.

    Raises:
        ValueError: `public_key` is no X25519 key of 32 bytes.
    """
    return _SUITE.encrypt(plaintext, X25519PublicKey.from_public_bytes(public_key), info)


def unseal(sealed: bytes, private_key: bytes, info: bytes) -> bytes:
    """What `seal` was given.

    Raises:
        SealBroken: Nothing can be learned about why.
    """
    try:
        return _SUITE.decrypt(sealed, X25519PrivateKey.from_private_bytes(private_key), info)
    except (InvalidTag, ValueError) as error:
        raise SealBroken("the seal does not open with this key and info") from error
