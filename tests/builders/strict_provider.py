"""A real, strict OpenID Connect provider: npm's `oidc-provider`, in a process of its own on loopback."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from tests.builders.npm_package import npm_package
from tests.services import require_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VERSION = "9.13.3"
AUDIENCE = "https://flavours.example"
"""What it calls our API, in access tokens (RFC 8707)."""
_SCRIPT = Path(__file__).with_suffix(".mjs")


@dataclass(frozen=True)
class StrictProvider:
    """One that runs; its pages let in whoever types a name and any password.

    Args:
        issuer: As it calls itself.
    """

    issuer: str


def web_client(client_id: str, secret: str, *redirect_uris: str) -> dict[str, Any]:
    """A client that logs people in: code flow, credentials by HTTP Basic."""
    return {
        "client_id": client_id,
        "client_secret": secret,
        "redirect_uris": list(redirect_uris),
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "token_endpoint_auth_method": "client_secret_basic",
    }


def machine_client(client_id: str, secret: str) -> dict[str, Any]:
    """A client that asks for access tokens of its own."""
    return {
        "client_id": client_id,
        "client_secret": secret,
        "redirect_uris": [],
        "response_types": [],
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "client_secret_basic",
    }


@contextlib.contextmanager
def strict_provider(clients: Sequence[dict[str, Any]], *, port: int = 0) -> Iterator[StrictProvider]:
    """Run it with these clients; skips, or fails where services are promised, without node and npm.

    Args:
        clients: As `web_client` and `machine_client` make them; `{issuer_key}` in a redirect address becomes
            `Issuer.key` of this provider.
        port: Where it listens; 0 lets the system choose.
    """
    node = require_program("node")
    module = npm_package("oidc-provider", VERSION) / "oidc-provider" / "lib" / "index.js"
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [str(node), str(_SCRIPT)], stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True
    )
    reading = None
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        settings = {
            "module": module.as_uri(),
            "host": "127.0.0.1",
            "port": port,
            "clients": list(clients),
            "audience": AUDIENCE,
        }
        process.stdin.write(json.dumps(settings))
        process.stdin.close()
        said = []
        while not (line := process.stdout.readline()).startswith('{"issuer"'):
            said.append(line)
            assert line, f"the provider did not start: {''.join(said)[-2000:]}"
        # What it warns of is read away, so that its pipe never fills.
        reading = threading.Thread(target=process.stdout.read, daemon=True)
        reading.start()
        yield StrictProvider(json.loads(line)["issuer"])
    finally:
        process.kill()
        process.wait()
        if reading is not None:
            reading.join()
        process.stdout.close()


def log_in(url: str, name: str) -> str:
    """Be this person at the provider, and agree; gives the address of ours that it sends the browser to.

    Args:
        url: Where our login sent the browser.
        name: Becomes the subject.
    """
    forms = iter(({"prompt": "login", "login": name, "password": "any"}, {"prompt": "consent"}))
    origin = httpx2.URL(url)
    with httpx2.Client(follow_redirects=False, trust_env=False) as browser:
        answer = browser.get(url)
        for _ in range(10):
            if answer.status_code == 200:
                answer = browser.post(answer.url, data=next(forms))
                continue
            assert answer.status_code in {302, 303}, answer.text[:2000]
            there = answer.url.join(answer.headers["location"])
            if there.netloc != origin.netloc:
                return str(there)
            answer = browser.get(there)
    raise AssertionError("the provider never came to an end")


def access_token(provider: StrictProvider, client_id: str, secret: str) -> str:
    """A machine's access token for our API (JWT)."""
    answer = httpx2.post(
        f"{provider.issuer}/token",
        auth=(client_id, secret),
        data={"grant_type": "client_credentials", "resource": AUDIENCE, "scope": "flavours"},
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])
