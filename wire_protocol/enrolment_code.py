"""The one-time code that an operator types at a register: a secret, and whose authority answers to it.

    code = base32(secret ‖ SHA-256(DER of the CA's certificate)[:10]) ‖ checksum, in groups of four

The first five bytes of the secret (eight symbols) name the invitation, so the server finds its row and can
count wrong tries. Before the code leaves the register, the register fetches the CA's certificate
(`GET {url}/v1/ca`, PEM, over TLS that is not believed yet), compares it with the fingerprint here, and only
then opens the connection that carries the code, trusting nothing but that CA.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from wire_protocol import crockford

INVITATION_BYTES: Final = 5
SECRET_BYTES: Final = 15
"""Of which the first five are the invitation's name and ten (80 bits) are what nobody can guess."""
FINGERPRINT_BYTES: Final = 10
CHECKSUM_SYMBOLS: Final = 4
SYMBOLS: Final = (SECRET_BYTES + FINGERPRINT_BYTES) * 8 // 5 + CHECKSUM_SYMBOLS


@dataclass(frozen=True, slots=True)
class EnrolmentCode:
    """What a code says; its text is for one operator's eyes and never for a log.

    Args:
        secret: 15 bytes; the server keeps only a hash of them.
        ca_fingerprint: The first 10 bytes of SHA-256 over the CA's certificate in DER.
    """

    secret: bytes
    ca_fingerprint: bytes

    @property
    def invitation(self) -> str:
        """The eight symbols that name the invitation; no secret."""
        return crockford.encode(self.secret[:INVITATION_BYTES])

    def is_for(self, ca_der: bytes) -> bool:
        """Whether a CA's certificate is the one that the code was made for."""
        digest = hashlib.sha256(ca_der).digest()
        return hmac.compare_digest(digest[:FINGERPRINT_BYTES], self.ca_fingerprint)

    def __repr__(self) -> str:
        """Without the secret."""
        return f"EnrolmentCode(invitation={self.invitation!r})"


def make(secret: bytes, ca_sha256: bytes) -> str:
    """The text of a code.

    Args:
        secret: `SECRET_BYTES` random bytes.
        ca_sha256: SHA-256 over the CA's certificate in DER.

    Raises:
        ValueError: Either has another length.
    """
    if len(secret) != SECRET_BYTES or len(ca_sha256) != hashlib.sha256().digest_size:
        raise ValueError(f"a code takes {SECRET_BYTES} bytes of secret and a SHA-256")
    symbols = crockford.encode(secret + ca_sha256[:FINGERPRINT_BYTES])
    return crockford.grouped(symbols + _checksum(symbols))


def parse(text: str) -> EnrolmentCode:
    """The code that was typed.

    Raises:
        ValueError: It has a foreign character, is too short or too long, or was mistyped; one sentence.
    """
    symbols = crockford.symbols_of(text)
    if len(symbols) != SYMBOLS:
        raise ValueError(f"an enrolment code has {SYMBOLS} symbols, this one has {len(symbols)}")
    body, checksum = symbols[:-CHECKSUM_SYMBOLS], symbols[-CHECKSUM_SYMBOLS:]
    if _checksum(body) != checksum:
        raise ValueError("the enrolment code was mistyped: its check symbols do not fit")
    data = crockford.decode(body)
    return EnrolmentCode(data[:SECRET_BYTES], data[SECRET_BYTES:])


def _checksum(symbols: str) -> str:
    """20 bits: of a million typing errors one goes unseen here, and is then refused by the server."""
    digest = hashlib.sha256(b"topscoop/1/enrolment-code\0" + symbols.encode()).digest()
    return crockford.encode(digest[:5])[:CHECKSUM_SYMBOLS]
