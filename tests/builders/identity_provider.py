"""A small, strict identity provider on loopback that a test can make lie in any one respect."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLIENT = "topscoop-console"


@dataclass
class Provider:
    """What it says, and how it is asked; `change` edits a claim set, `document` its description.

    Args:
        sign: Makes the ID token of its header and claims; the test's own for a forged one.
    """

    now_s: int
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one", "use": "sig"}))
    change: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "ES256", "kid": "one", "typ": "JWT"})
    sign: Callable[[dict[str, Any], dict[str, Any]], str] | None = None
    token_status: int = 200
    url: str = ""
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def authorize(self, url: str, subject: str = "anna") -> dict[str, str]:
        """What the browser comes back with after the person said yes."""
        query = dict(parse_qsl(urlsplit(url).query))
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = hashlib.sha256(url.encode()).hexdigest()
        self.codes[code] = {**query, "sub": subject}
        return {"code": code, "state": query["state"], "iss": self.url}

    def description(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": self.url + "/authorize",
            "token_endpoint": self.url + "/token",
            "jwks_uri": self.url + "/keys",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **self.document,
        }

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """RFC 6749, 4.1.3 and RFC 7636, 4.6: a code works once, for who began with its challenge."""
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or asked["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest())
        if challenge.rstrip(b"=").decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": asked["sub"],
            "nonce": asked["nonce"],
            "iat": self.now_s,
            "exp": self.now_s + 300,
            "name": asked["sub"].title(),
        } | self.change
        claims = {name: value for name, value in claims.items() if value is not None}
        token = self.sign(self.header, claims) if self.sign else jwt.encode(self.header, claims, self.key)
        return self.token_status, {"access_token": "a", "token_type": "Bearer", "id_token": token}

    def public(self) -> dict[str, Any]:
        return {"keys": [self.key.as_dict(private=False)]}


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """`alg: none`."""
    parts = [json.dumps({**header, "alg": "none"}), json.dumps(claims)]
    return ".".join([*(base64.urlsafe_b64encode(one.encode()).rstrip(b"=").decode() for one in parts), ""])


def confused(public_pem: bytes) -> Callable[[dict[str, Any], dict[str, Any]], str]:
    """HMAC with the public key as its secret: what a library that trusts `alg` would accept."""

    def sign(header: dict[str, Any], claims: dict[str, Any]) -> str:
        from joserfc.jws import JWSRegistry

        key = OctKey.import_key(base64.b64encode(public_pem).decode())
        registry = JWSRegistry(algorithms=["HS256"])
        return jwt.encode({**header, "alg": "HS256"}, claims, key, registry=registry)

    return sign


@contextmanager
def running_provider(now_s: int) -> Iterator[Provider]:
    """Serve it on a free port of loopback."""
    provider = Provider(now_s)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked.append(self.path)
            known = {"/.well-known/openid-configuration": provider.description, "/keys": provider.public}
            found = known.get(self.path)
            self._answer(404 if found is None else 200, {} if found is None else found())

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            text = self.rfile.read(int(self.headers["content-length"])).decode()
            self._answer(*provider.token({name: one[0] for name, one in parse_qs(text).items()}))

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
