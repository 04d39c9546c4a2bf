"""What a chain knows a person by: a number that nobody can turn back without the chain's secret. Pure."""

import hashlib
import hmac
from typing import Final

SECRET_BYTES: Final = 32
MACHINES: Final = "topscoop:api-client"
"""In place of an issuer, for clients with credentials of our own; no issuer can be called that."""


def user_of(secret: bytes, issuer: str, subject: str) -> bytes:
    """The pseudonym of a subject of an issuer, within the chain whose secret it is: 32 bytes.

    Each part carries its length, so that no two pairs write the same bytes.
    """
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a chain's secret has {SECRET_BYTES} bytes, not {len(secret)}")
    parts = (b"topscoop user v1", issuer.encode(), subject.encode())
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.new(secret, message, hashlib.sha256).digest()
