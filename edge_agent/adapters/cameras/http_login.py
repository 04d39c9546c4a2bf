"""User and password of a camera's URL as an Authorization header; IP cameras ask for Basic or Digest."""

import base64
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from urllib.request import (
    HTTPDigestAuthHandler,
    HTTPPasswordMgrWithDefaultRealm,
    Request,
    parse_http_list,
    parse_keqv_list,
)

from edge_agent.errors import CameraError


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """Who asks for the stream."""

    user: str
    password: str

    def basic(self) -> str:
        """The header of HTTP Basic."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")

    def _manager(self, url: str) -> HTTPPasswordMgrWithDefaultRealm:
        manager = HTTPPasswordMgrWithDefaultRealm()
        manager.add_password(None, url, self.user, self.password)
        return manager

    def answer(self, challenge: str, url: str) -> str:
        """The header that answers a `WWW-Authenticate` for a GET of `url`.

        Raises:
            CameraError: Neither Basic nor Digest, or a Digest that cannot be answered.
        """
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic":
            return self.basic()
        if scheme.lower() == "digest":
            handler = HTTPDigestAuthHandler(self._manager(url))
            try:
                values = handler.get_authorization(Request(url), parse_keqv_list(parse_http_list(rest)))  # noqa: S310 - http only
            except (ValueError, KeyError, IndexError):
                values = None
            if values:
                return f"Digest {values}"
        raise CameraError(
            f"the camera asks for a login of the kind {scheme or 'none'!r}, which is not known here",
            remedy="Switch the camera to Basic or Digest authentication.",
        )


def login_of(url: str) -> Login | None:
    """User and password of the URL, decoded; None where it has none."""
    parts = urlsplit(url)
    if parts.username is None:
        return None
    return Login(unquote(parts.username), unquote(parts.password or ""))
