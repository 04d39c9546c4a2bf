"""The console's cookies: their names, and what their values may be. Pure."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from cloud.identity.encoding import base64url
from wire_protocol.identifiers import is_name

SECRET_BYTES: Final = 32
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")


@dataclass(frozen=True, slots=True)
class CookieNames:
    """The names of the cookies.

    `__Host-` makes browsers insist on https, on this very host and on the path `/` (RFC 6265bis, 4.1.3.2),
    so that no neighbour under the same domain can plant one. Over http, in development, it cannot be used.
    """

    secure: bool

    @property
    def session(self) -> str:
        """The session."""
        return "__Host-topscoop" if self.secure else "topscoop-development"

    @property
    def login(self) -> str:
        """A login that is under way."""
        return "__Host-topscoop-login" if self.secure else "topscoop-development-login"

    @property
    def theme(self) -> str:
        """Light, dark, or as the system has it."""
        return "__Host-topscoop-theme" if self.secure else "topscoop-development-theme"


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """What the session's cookie says: the chain, and the secret whose hash is the session's row."""

    tenant: str
    secret: str

    @property
    def session(self) -> bytes:
        """The session's id in the database: who reads the rows cannot make a cookie of it."""
        return hashlib.sha256(self.secret.encode("ascii")).digest()

    def text(self) -> str:
        """As the browser keeps it."""
        return f"{self.tenant}.{self.secret}"


def new_cookie(tenant: str, random: bytes) -> SessionCookie:
    """A cookie of a new session; `random` are 32 unpredictable bytes."""
    if len(random) != SECRET_BYTES:
        raise ValueError(f"a session's secret has {SECRET_BYTES} bytes, not {len(random)}")
    return SessionCookie(tenant, base64url(random))


def parse_cookie(text: str) -> SessionCookie | None:
    """What a browser sent; None where no session of ours can look like that."""
    tenant, _, secret = text.partition(".")
    return SessionCookie(tenant, secret) if is_name(tenant) and _SECRET.match(secret) else None
