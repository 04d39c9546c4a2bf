"""People who log in to the public API at a provider of the test's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from cloud.identity.adapters.issuers import put_issuer
from cloud.identity.secret_files import IssuerSecrets
from cloud.identity.values import Issuer, issuer_key
from tests.builders.cloud_database import NOW_MS
from tests.builders.identity_provider import CLIENT
from tests.builders.public_api import TENANT

if TYPE_CHECKING:
    import httpx2
    from starlette.testclient import TestClient

    from tests.builders.identity_provider import Provider
    from tests.builders.public_api import ApiStage


def let_in(stage: ApiStage, provider: Provider, *, tenant: str = TENANT, label: str = "Club") -> None:
    """People of this provider may log in to this chain."""
    IssuerSecrets(stage.desk.config.state_dir).write(tenant, provider.url, "secret")
    issuer = Issuer(provider.url, CLIENT, None, label)
    with stage.desk.database.tenant(tenant) as connection:
        put_issuer(connection, tenant, issuer, NOW_MS, actor="test")


def begin(browser: TestClient, provider: Provider, goal: str = "/try") -> httpx2.Response:
    """Press the provider's button."""
    return browser.get(f"/login/{issuer_key(provider.url)}", params={"goal": goal})


def come_back(browser: TestClient, provider: Provider, query: dict[str, str]) -> httpx2.Response:
    """Be sent back by the provider."""
    return browser.get(f"/login/callback/{issuer_key(provider.url)}?{urlencode(query)}")


def log_in(
    browser: TestClient, provider: Provider, *, subject: str = "anna", goal: str = "/try"
) -> httpx2.Response:
    """The whole way."""
    began = begin(browser, provider, goal)
    assert began.status_code == 303, began.text
    return come_back(browser, provider, provider.authorize(began.headers["location"], subject))


def csrf_of(browser: TestClient, code: str) -> str:
    """The session's token, of the page on which a device is approved."""
    page = browser.get("/device", params={"user_code": code}).text
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None, page
    return found[1]
