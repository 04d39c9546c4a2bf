"""Who may call the local API: decided from the head of a request alone, before its body is read (threat T29).

A page on the internet can make a browser at the till send requests to 127.0.0.1 (DNS rebinding, a form, a
script). What it cannot do is choose `Host` and `Origin`, and it does not know the till's pairing token.
"""

import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
OF_DISPLAY = ("/displayed", "/consent")
"""Ends of paths that the agent's own display may post to; it has no token."""
_DEFAULT_HTTP_PORT = 80
_MAX_TOKEN_LENGTH = 512
"""Longer than any token we make; bounds the work of a comparison."""


class Refusal(StrEnum):
    """Why a request is not answered."""

    HOST = "host-not-allowed"
    ORIGIN = "origin-not-allowed"
    TOKEN = "pairing-token-required"  # noqa: S105 - the name of a problem, no secret


@dataclass(frozen=True, slots=True)
class RequestHead:
    """What the decision needs of a request; a missing header is None, a repeated one is `repeated`."""

    method: str
    path: str
    host: str | None
    origin: str | None
    authorization: str | None
    repeated: bool = False
    over_unix_socket: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a request.

    Args:
        refusal: None lets it in.
        cross_origin: The allowed foreign origin that it comes from.
        paired: It carries a till's token, whether or not it needs one.
    """

    refusal: Refusal | None
    cross_origin: str | None = None
    paired: bool = False


class AccessRules:
    """The allow-lists of one listening address and the tokens of the tills paired with it.

    Args:
        names: Host names without port; IPv6 in brackets. Case does not matter.
        port: The TCP port that was really bound.
        foreign_origins: Origins of other pages that may call, such as `https://pos.example`.
        tokens: Pairing tokens; any of them opens every door that wants one.
    """

    def __init__(
        self, names: Collection[str], port: int, foreign_origins: Collection[str], tokens: Sequence[str]
    ) -> None:
        lowered = [name.lower() for name in names]
        hosts = {f"{name}:{port}" for name in lowered}
        if port == _DEFAULT_HTTP_PORT:
            hosts |= set(lowered)
        self._hosts = frozenset(hosts)
        self._names = frozenset(lowered)
        self._own_origins = frozenset(f"http://{host}" for host in hosts)
        self._foreign_origins = frozenset(origin.rstrip("/").lower() for origin in foreign_origins)
        self._tokens = tuple(token.encode() for token in tokens)

    @property
    def foreign_origins(self) -> frozenset[str]:
        """Other pages' origins that may call and may show the display in a frame."""
        return self._foreign_origins

    def judge(self, head: RequestHead) -> Verdict:
        """Let in or refuse; the first rule that is broken names the refusal."""
        if head.repeated or not self._host_allowed(head):
            return Verdict(Refusal.HOST)
        same_origin = False
        cross_origin = None
        if head.origin is not None:
            origin = head.origin.lower()
            same_origin = origin in self._own_origins
            if not same_origin:
                if origin not in self._foreign_origins:
                    return Verdict(Refusal.ORIGIN)
                cross_origin = head.origin
        paired = self._token_allowed(head.authorization)
        if paired or head.method in _READING:
            return Verdict(None, cross_origin, paired)
        # The display has no token: it may say that it showed what it was given, and what the customer
        # answered on it.
        if same_origin and head.path.endswith(OF_DISPLAY):
            return Verdict(None)
        return Verdict(Refusal.TOKEN, cross_origin)

    def _host_allowed(self, head: RequestHead) -> bool:
        if head.host is None:
            return False
        host = head.host.lower()
        # No browser speaks over a Unix socket, and there is no port there to compare.
        return host in self._hosts or (head.over_unix_socket and host in self._names)

    def _token_allowed(self, authorization: str | None) -> bool:
        if authorization is None or len(authorization) > _MAX_TOKEN_LENGTH:
            return False
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return False
        presented = given.strip().encode()
        # Every token is compared in full, so that the time taken tells nothing about any of them.
        matches = [hmac.compare_digest(presented, token) for token in self._tokens]
        return any(matches)
