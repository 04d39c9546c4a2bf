"""Access tokens that a hostile issuer, or a thief, would try, each with the check that refuses it (T22)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from cloud.identity.encoding import base64url

AUDIENCE: Final = "https://flavours.example"


@dataclass(frozen=True)
class Forge:
    """What a forger has: the issuer's public key, a key of their own, a server of their own.

    Args:
        key: The issuer's own: what it signs is genuine.
        canary: Address of a server that nobody may ask.
    """

    issuer: str
    key: ECKey
    now_s: int
    canary: str
    own: ECKey

    def header(self, **changes: Any) -> dict[str, Any]:
        """That of a good token, changed; None takes a member away."""
        whole = {"alg": "ES256", "typ": "at+jwt", "kid": str(self.key.kid)} | changes
        return {name: value for name, value in whole.items() if value is not None}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Those of a good token, changed; None takes a claim away."""
        whole = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "anna",
            "iat": self.now_s,
            "exp": self.now_s + 300,
            "client_id": "app",
            "jti": "1",
        } | changes
        return {name: value for name, value in whole.items() if value is not None}

    def token(self, header: dict[str, Any] | bytes, claims: dict[str, Any] | bytes, key: Any = None) -> str:
        """Signed with ES256 by `key`, the issuer's own by default, whatever the header says."""
        signing_input = _joined(header, claims)
        model = JWSRegistry.algorithms["ES256"]
        signature = model.sign(signing_input.encode(), key or self.key)
        return f"{signing_input}.{base64url(signature)}"

    def good(self, **changes: Any) -> str:
        """One that is accepted; or is wrong in these claims alone."""
        return self.token(self.header(), self.claims(**changes))


def _joined(header: dict[str, Any] | bytes, claims: dict[str, Any] | bytes) -> str:
    parts = (one if isinstance(one, bytes) else json.dumps(one).encode() for one in (header, claims))
    return ".".join(base64url(one) for one in parts)


def _hmac(forge: Forge) -> str:
    """HS256 with the public key as its secret: what a library that trusts `alg` would accept."""
    text = _joined(forge.header(alg="HS256"), forge.claims())
    secret = forge.key.as_pem(private=False)
    return f"{text}.{base64url(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def _header(**changes: Any) -> Callable[[Forge], str]:
    return lambda forge: forge.token(forge.header(**changes), forge.claims())


def _own_key(**changes: Any) -> Callable[[Forge], str]:
    """Signed by the forger, whose key the header brings or names."""
    return lambda forge: forge.token(
        forge.header(**{name: value(forge) if callable(value) else value for name, value in changes.items()}),
        forge.claims(),
        forge.own,
    )


def _claim(**changes: Any) -> Callable[[Forge], str]:
    return lambda forge: forge.good(
        **{name: value(forge) if callable(value) else value for name, value in changes.items()}
    )


def _twice(forge: Forge) -> str:
    body = json.dumps(forge.claims(sub="anna"))[:-1] + ', "sub": "olga"}'
    return forge.token(forge.header(), body.encode())


def _header_twice(forge: Forge) -> str:
    text = json.dumps(forge.header())[:-1] + ', "alg": "ES256"}'
    return forge.token(text.encode(), forge.claims())


def _flipped(forge: Forge) -> str:
    token = forge.good()
    head, body, signature = token.split(".")
    return f"{head}.{body}.{base64url(bytes(64))}" if signature else token


def _rsa_header(forge: Forge) -> str:
    """The EC key's id, with an algorithm of another kind of key."""
    text = _joined(forge.header(alg="RS256"), forge.claims())
    made = RSAKey.generate_key(2048)
    return f"{text}.{base64url(JWSRegistry.algorithms['RS256'].sign(text.encode(), made))}"


TRICKS: Final[dict[str, tuple[int, Callable[[Forge], str]]]] = {
    "alg-none": (18, lambda forge: _joined(forge.header(alg="none"), forge.claims()) + "."),
    "alg-None": (18, lambda forge: _joined(forge.header(alg="None"), forge.claims()) + "."),
    "alg-missing": (18, _header(alg=None)),
    "alg-list": (18, _header(alg=["ES256"])),
    "hmac-with-the-public-key": (18, _hmac),
    "alg-of-another-kind": (20, _rsa_header),
    "alg-es384": (18, _header(alg="ES384")),
    "no-signature": (21, lambda forge: forge.good().rpartition(".")[0] + "."),
    "zero-signature": (21, _flipped),
    "signed-by-a-stranger": (21, lambda forge: forge.token(forge.header(), forge.claims(), forge.own)),
    "kid-unknown": (20, _own_key(kid="unknown")),
    "kid-path": (20, _own_key(kid="../../../../dev/null")),
    "kid-url": (20, _own_key(kid=lambda forge: f"{forge.canary}/key.json")),
    "kid-sql": (20, _own_key(kid="x' UNION SELECT 'secret")),
    "kid-empty": (19, _own_key(kid="")),
    "kid-number": (19, _own_key(kid=1)),
    "kid-long": (19, _own_key(kid="k" * 201)),
    "kid-missing": (32, _header(kid=None)),
    "jwk": (19, _own_key(jwk=lambda forge: forge.own.as_dict(private=False))),
    "jku": (19, _own_key(jku=lambda forge: f"{forge.canary}/keys")),
    "jku-own-signature": (19, _header(jku="https://127.0.0.1/keys")),
    "x5u": (19, _own_key(x5u=lambda forge: f"{forge.canary}/chain.pem")),
    "x5c": (19, _own_key(x5c=["MIIB"])),
    "crit": (19, _header(crit=["exp"])),
    "b64": (19, _header(b64=False)),
    "zip": (19, _header(zip="DEF")),
    "cty-nested": (19, _header(cty="JWT")),
    "id-token": (31, _header(typ="JWT")),
    "typ-missing": (31, _header(typ=None)),
    "typ-logout": (31, _header(typ="logout+jwt")),
    "jwe-nested": (16, lambda forge: f"{forge.good()}.x.y"),
    "two-parts": (16, lambda forge: forge.good().rpartition(".")[0]),
    "huge": (16, lambda forge: forge.good(padding="p" * 20_000)),
    "huge-header": (16, _header(padding="p" * 3000)),
    "not-base64": (17, lambda forge: forge.good().replace(".", "*.", 1)),
    "loose-base64": (17, lambda forge: forge.good() + "="),
    "header-no-json": (17, lambda forge: forge.token(b"{", forge.claims())),
    "header-list": (17, lambda forge: forge.token(b"[]", forge.claims())),
    "header-deep": (17, lambda forge: forge.token(b"[" * 1500, forge.claims())),
    "header-twice": (17, _header_twice),
    "claims-twice": (17, _twice),
    "claims-list": (17, lambda forge: forge.token(forge.header(), b"[]")),
    "claims-nan": (17, lambda forge: forge.token(forge.header(), b'{"exp": NaN}')),
    "iss-missing": (22, _claim(iss=None)),
    "iss-other": (33, _claim(iss="https://accounts.example")),
    "iss-slash": (33, _claim(iss=lambda forge: forge.issuer + "/")),
    "iss-canary": (33, _claim(iss=lambda forge: forge.canary)),
    "iss-list": (22, _claim(iss=["a"])),
    "aud-missing": (23, _claim(aud=None)),
    "aud-other": (23, _claim(aud="https://other.example")),
    "aud-prefix": (23, _claim(aud=AUDIENCE + ".evil")),
    "aud-client": (23, _claim(aud="topscoop")),
    "aud-mixed": (23, _claim(aud=[AUDIENCE, 7])),
    "aud-object": (23, _claim(aud={AUDIENCE: 1})),
    "exp-missing": (24, _claim(exp=None)),
    "exp-past": (24, _claim(exp=lambda forge: forge.now_s - 61)),
    "exp-text": (24, _claim(exp="9999999999")),
    "exp-true": (24, _claim(exp=True)),
    "exp-huge": (24, _claim(exp=10**30)),
    "iat-missing": (25, _claim(iat=None)),
    "iat-far": (25, _claim(iat=lambda forge: forge.now_s + 86_400)),
    "nbf-ahead": (26, _claim(nbf=lambda forge: forge.now_s + 3600)),
    "nbf-text": (26, _claim(nbf="now")),
    "sub-missing": (27, _claim(sub=None)),
    "sub-empty": (27, _claim(sub="")),
    "sub-long": (27, _claim(sub="s" * 256)),
    "sub-number": (27, _claim(sub=7)),
}
"""By name: the check that refuses it, and how it is made."""
