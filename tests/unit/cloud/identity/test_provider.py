"""One provider: its documents as they come over the network."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey

from cloud.identity.errors import LoginFailed, ProviderAway
from cloud.identity.provider import OpenIdProvider
from tests.builders.canary import running_canary
from tests.builders.raw_server import head, raw_server

_TLS = ssl.create_default_context()
_KEY = ECKey.generate_key("P-256", {"kid": "one"})
_KEYS = {"keys": [_KEY.as_dict(private=False)]}


def _json(value: Any) -> bytes:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return head("200 OK", f"Content-Length: {len(data)}") + data


def _serving(keys: bytes, **description: Any) -> Any:
    """A provider that gives these keys."""
    own: list[str] = []

    def answer(request: bytes) -> Iterator[bytes]:
        if request.startswith(b"GET /keys "):
            yield keys
            return
        endpoints = {name: f"{own[0]}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
        yield _json({"issuer": own[0], "jwks_uri": f"{own[0]}/keys", **endpoints, **description})

    return answer, own


def _provider(url: str) -> OpenIdProvider:
    return OpenIdProvider(url, monotonic=lambda: 0.0, tls=_TLS)


def test_its_keys_are_found() -> None:
    answer, own = _serving(_json(_KEYS))
    with raw_server(answer) as url:
        own.append(url)
        provider = _provider(url)
        assert provider.find("one", "ES256") is not None
        assert provider.find("two", "ES256") is None


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        (_json(b"{"), ProviderAway),
        (_json([]), ProviderAway),
        (_json({"keys": 7}), LoginFailed),
        (_json({"keys": []}), LoginFailed),
        (_json({"keys": [{"kty": "oct", "k": "AAAA", "kid": "one"}]}), LoginFailed),
        (head("500 Internal Server Error", "Content-Length: 0"), ProviderAway),
        (_json(b'{"keys": [], "keys": []}'), ProviderAway),
    ],
    ids=["no-json", "list", "no-set", "empty", "secret", "error", "twice"],
)
def test_keys_that_cannot_be_used_are_refused(keys: bytes, error: type[Exception]) -> None:
    answer, own = _serving(keys)
    with raw_server(answer) as url:
        own.append(url)
        with pytest.raises(error):
            _provider(url).find("one", "ES256")


def test_keys_that_redirect_lead_nowhere() -> None:
    """T23: a provider that was taken over cannot send us to others."""
    with running_canary() as canary:
        answer, own = _serving(head("302 Found", f"Location: {canary.url}/keys", "Content-Length: 0"))
        with raw_server(answer) as url:
            own.append(url)
            with pytest.raises(ProviderAway):
                _provider(url).find("one", "ES256")
        assert canary.hits == []


@pytest.mark.parametrize("name", ["jwks_uri", "token_endpoint", "authorization_endpoint"])
@pytest.mark.parametrize(
    "address",
    ["http://169.254.169.254/latest/meta-data", "http://localhost:{port}/x", "http://[::1]:{port}/x"],
)
def test_a_description_that_leads_into_the_machine_is_refused(name: str, address: str) -> None:
    """T23: the metadata address, and whatever else listens on this machine under another name."""
    with running_canary() as canary:
        port = canary.url.rpartition(":")[2]
        answer, own = _serving(_json(_KEYS), **{name: address.format(port=port)})
        with raw_server(answer) as url:
            own.append(url)
            with pytest.raises(LoginFailed):
                _provider(url).find("one", "ES256")
        assert canary.hits == []
