"""The public API's cookies, and the secrets in them. Pure."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

SECRET_BYTES: Final = 32
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")


@dataclass(frozen=True, slots=True)
class CookieNames:
    """Their names.

    Check 35 (RFC 6265bis, 4.1.3.2): `__Host-` makes browsers insist on https, on this very host and on the
    path `/`, so that no neighbour under the same domain, another chain included, can plant one. Over http, in
    development, it cannot be used.
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


def session_of(secret: str) -> bytes | None:
    """The row of a cookie's or a token's secret; None where no secret of ours can look like that.

    Check 36: the database holds a hash; who reads its rows can make no cookie or token of them.
    """
    return hashlib.sha256(secret.encode("ascii")).digest() if _SECRET.match(secret) else None
