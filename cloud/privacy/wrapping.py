"""A consent's private key under its day key: AES-256-GCM, bound to tenant and blank."""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
"""A day key (AES-256), and a private key of X25519."""
NONCE_BYTES: Final = 12
WRAPPED_BYTES: Final = NONCE_BYTES + KEY_BYTES + 16
DESTROYED: Final = bytes(WRAPPED_BYTES)
"""What stands where a key stood."""

_CONSENT_LABEL: Final = b"topscoop/consent-key\0"
_DAY_LABEL: Final = b"topscoop/day-key\0"


class WrongKey(ValueError):
    """The wrapping key or the binding is not that of the wrapping, or the bytes were altered."""


def consent_binding(tenant: str, blank: bytes) -> bytes:
    """What a consent's key is bound to."""
    return _CONSENT_LABEL + tenant.encode() + b"\0" + blank


def day_binding(tenant: str, day: str) -> bytes:
    """What a day key is bound to."""
    return _DAY_LABEL + tenant.encode() + b"\0" + day.encode()


def wrap(key: bytes, under: bytes, binding: bytes, nonce: bytes) -> bytes:
    """Nonce ‖ ciphertext ‖ tag, 60 bytes.

    Args:
        key: 32 bytes.
        under: 32 bytes of AES-256.
        binding: From `consent_binding` or `day_binding`.
        nonce: 12 random bytes, never twice with one `under`.

    Raises:
        ValueError: A length is another.
    """
    if len(key) != KEY_BYTES or len(under) != KEY_BYTES or len(nonce) != NONCE_BYTES:
        raise ValueError("a key has 32 bytes and a nonce 12")
    return nonce + AESGCM(under).encrypt(nonce, key, binding)


def unwrap(wrapped: bytes, under: bytes, binding: bytes) -> bytes:
    """What `wrap` was given.

    Raises:
        WrongKey: Nothing can be learned about why.
    """
    try:
        return AESGCM(under).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], binding)
    except (InvalidTag, ValueError) as error:
        raise WrongKey("the wrapped key does not open with this key and binding") from error
