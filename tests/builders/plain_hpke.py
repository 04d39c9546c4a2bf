"""HPKE in base mode, step by step from RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.

Slow and plain on purpose: what `docs/register-in-another-language.md` describes, as code that can be compared
with the RFC's own vectors and with `wire_protocol.sealing`.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEM_SUITE = b"KEM" + (0x0020).to_bytes(2)
_SUITE = b"HPKE" + (0x0020).to_bytes(2) + (0x0001).to_bytes(2) + (0x0002).to_bytes(2)
_ENC_BYTES = 32


def seal(
    plaintext: bytes, public_key: bytes, info: bytes, ephemeral: X25519PrivateKey, aad: bytes = b""
) -> bytes:
    """Encapsulated key and ciphertext, with an ephemeral key of the caller's choice."""
    enc = ephemeral.public_key().public_bytes_raw()
    dh = ephemeral.exchange(X25519PublicKey.from_public_bytes(public_key))
    key, nonce = key_schedule(_extract_and_expand(dh, enc + public_key), info)
    return enc + AESGCM(key).encrypt(nonce, plaintext, aad)


def unseal(sealed: bytes, private_key: bytes, info: bytes, aad: bytes = b"") -> bytes:
    """What was sealed; raises InvalidTag."""
    enc, ciphertext = sealed[:_ENC_BYTES], sealed[_ENC_BYTES:]
    key, nonce = key_schedule(decapsulate(enc, private_key), info)
    return AESGCM(key).decrypt(nonce, ciphertext, aad)


def decapsulate(enc: bytes, private_key: bytes) -> bytes:
    """The shared secret (section 4.1, Decap)."""
    private = X25519PrivateKey.from_private_bytes(private_key)
    dh = private.exchange(X25519PublicKey.from_public_bytes(enc))
    return _extract_and_expand(dh, enc + private.public_key().public_bytes_raw())


def key_schedule(shared_secret: bytes, info: bytes) -> tuple[bytes, bytes]:
    """Key and base nonce (section 5.1, KeySchedule in base mode); the nonce of the first message."""
    psk_id_hash = _labeled_extract(_SUITE, b"", b"psk_id_hash", b"")
    info_hash = _labeled_extract(_SUITE, b"", b"info_hash", info)
    context = b"\0" + psk_id_hash + info_hash
    secret = _labeled_extract(_SUITE, shared_secret, b"secret", b"")
    key = _labeled_expand(_SUITE, secret, b"key", context, 32)
    return key, _labeled_expand(_SUITE, secret, b"base_nonce", context, 12)


def _extract_and_expand(dh: bytes, kem_context: bytes) -> bytes:
    pseudorandom = _labeled_extract(_KEM_SUITE, b"", b"eae_prk", dh)
    return _labeled_expand(_KEM_SUITE, pseudorandom, b"shared_secret", kem_context, 32)


def _labeled_extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, hashlib.sha256)


def _labeled_expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labeled = length.to_bytes(2) + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, labeled + b"\1", hashlib.sha256)[:length]  # one block is enough here
