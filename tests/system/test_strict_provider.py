"""Logins and access tokens of a real, strict OpenID Connect provider (npm's oidc-provider)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from cloud.identity.adapters.issuers import put_issuer
from cloud.identity.secret_files import IssuerSecrets
from cloud.identity.values import Issuer, issuer_key
from tests.builders.public_api import OTHER, TENANT, ApiStage, build_stage
from tests.builders.strict_provider import (
    AUDIENCE,
    StrictProvider,
    access_token,
    log_in,
    machine_client,
    strict_provider,
    web_client,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CLIENT, _SECRET = "topscoop", "a secret of ours there"
_MACHINE, _MACHINE_SECRET = "partner", "a secret of theirs"


@pytest.fixture(scope="module")
def provider() -> Iterator[StrictProvider]:
    redirect = f"https://{TENANT}.api.example/login/callback/{{issuer_key}}"
    clients = [web_client(_CLIENT, _SECRET, redirect), machine_client(_MACHINE, _MACHINE_SECRET)]
    with strict_provider(clients) as running:
        yield running


@pytest.fixture
def stage(tmp_path: Path, provider: StrictProvider) -> ApiStage:
    made = build_stage(tmp_path)
    made.clock[0] = int(time.time() * 1000)  # the provider has a clock of its own
    IssuerSecrets(tmp_path).write(TENANT, provider.issuer, _SECRET)
    issuer = Issuer(provider.issuer, _CLIENT, None, "Strict", AUDIENCE)
    with made.desk.database.tenant(TENANT) as connection:
        put_issuer(connection, TENANT, issuer, made.clock[0], actor="test")
    return made


def _session(stage: ApiStage, provider: StrictProvider, name: str) -> TestClient:
    """A browser after the whole way: our page, the provider's pages, and back."""
    browser = stage.client(None)
    began = browser.get(f"/login/{issuer_key(provider.issuer)}", params={"goal": "/try?x=1"})
    back = urlsplit(log_in(began.headers["location"], name))
    answer = browser.get(f"{back.path}?{back.query}")
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "/try?x=1"
    return browser


def test_a_person_logs_in_by_code_and_pkce(stage: ApiStage, provider: StrictProvider) -> None:
    """The same person is the same user in two browsers, and another person another one."""
    users = []
    for name in ("anna", "anna", "bert"):
        browser = _session(stage, provider, name)
        assert browser.get("/v1/recommendations").status_code == 200
        users.append(_user(stage, browser))
    assert users[0] == users[1] != users[2]


def test_an_access_token_of_the_provider_is_taken_at_its_chain_alone(
    stage: ApiStage, provider: StrictProvider
) -> None:
    """RFC 9068: a machine's JWT from the provider's own token endpoint, by resource indicator."""
    token = {"authorization": f"Bearer {access_token(provider, _MACHINE, _MACHINE_SECRET)}"}
    assert stage.client(None).get("/v1/recommendations", headers=token).status_code == 200
    refused = stage.client(None, tenant=OTHER).get("/v1/recommendations", headers=token)
    assert refused.status_code == 401
    assert "check 33" in refused.json()["detail"]


def _user(stage: ApiStage, browser: TestClient) -> bytes:
    from cloud.public_api.adapters.sessions import find_session
    from cloud.public_api.caller import CallerKind

    secret = browser.cookies[stage.desk.cookies.session]
    with stage.desk.database.tenant(TENANT, read_only=True) as connection:
        found = find_session(
            connection,
            TENANT,
            secret,
            frozenset({CallerKind.BROWSER}),
            now_ms=stage.clock[0],
            idle_ms=60_000,
        )
    assert found is not None
    return found.caller.user
