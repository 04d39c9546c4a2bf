"""Who calls: one credential, of this host's chain, from our own page where it is a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from joserfc.jwk import ECKey

from cloud.identity.adapters.issuers import put_issuer, remove_issuer
from cloud.identity.values import Issuer
from cloud.public_api.caller import CallerKind
from tests.builders.canary import Canary, running_canary
from tests.builders.cloud_database import NOW_MS
from tests.builders.hostile_tokens import AUDIENCE, TRICKS, Forge
from tests.builders.identity_provider import Provider, running_provider
from tests.builders.public_api import OTHER, TENANT, ApiStage, build_stage

if TYPE_CHECKING:
    from collections.abc import Iterator

WHO = "/v1/recommendations"
"""A route that asks who calls, and answers 200 to anybody who may."""


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    with running_canary() as made:
        yield made


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider(NOW_MS // 1000) as made:
        yield made


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> ApiStage:
    made = build_stage(tmp_path_factory.mktemp("api"), requests_per_minute=100_000)
    trust(made, TENANT, provider.url)
    return made


@pytest.fixture
def forge(provider: Provider, canary: Canary) -> Forge:
    own = ECKey.generate_key("P-256", {"kid": provider.key.kid})
    return Forge(provider.url, provider.key, NOW_MS // 1000, canary.url, own)


def trust(stage: ApiStage, tenant: str, issuer: str, audience: str | None = AUDIENCE) -> None:
    """Take access tokens of this issuer."""
    with stage.desk.database.tenant(tenant) as connection:
        put_issuer(connection, tenant, Issuer(issuer, "topscoop", None, "P", audience), NOW_MS, actor="test")


def _ask(stage: ApiStage, token: str, tenant: str = TENANT) -> tuple[int, dict[str, str]]:
    answer = stage.client(None, tenant=tenant).get(WHO, headers={"authorization": f"Bearer {token}"})
    return answer.status_code, answer.json()


def test_a_good_access_token_is_taken(stage: ApiStage, forge: Forge) -> None:
    """The other tests refuse what is wrong in one respect; this one is right in all."""
    assert _ask(stage, forge.good())[0] == 200
    assert _ask(stage, forge.good(aud=["https://other.example", AUDIENCE]))[0] == 200
    assert _ask(stage, forge.token(forge.header(typ="application/AT+JWT"), forge.claims()))[0] == 200


@pytest.mark.parametrize("trick", TRICKS)
def test_a_hostile_token_is_refused_and_nobody_is_asked_for_it(
    stage: ApiStage, forge: Forge, provider: Provider, canary: Canary, trick: str
) -> None:
    """T22, T23: 401 by the very check that it tries, and not one request to where it points."""
    check, make = TRICKS[trick]
    asked = len(provider.asked)
    status, document = _ask(stage, make(forge))
    assert (status, document["type"]) == (401, "/docs/problems#bad-token")
    assert f"(check {check})" in document["detail"]
    assert "anna" not in document["detail"]
    assert canary.hits == []
    assert set(provider.asked[asked:]) <= {"/.well-known/openid-configuration", "/keys"}


def test_a_flood_of_unknown_keys_asks_the_issuer_once(
    stage: ApiStage, forge: Forge, provider: Provider
) -> None:
    """T22: an unknown kid makes us look at the keys again, once a minute at most."""
    assert _ask(stage, forge.good())[0] == 200
    _ask(stage, forge.token(forge.header(kid="0"), forge.claims(), forge.own))
    asked = len(provider.asked)
    for number in range(20):
        token = forge.token(forge.header(kid=f"new-{number}"), forge.claims(), forge.own)
        assert _ask(stage, token)[0] == 401
    assert provider.asked[asked:] == []


def test_another_chains_issuer_is_nobody_here(stage: ApiStage, forge: Forge) -> None:
    """T22: a chain takes tokens of its own issuers alone, and of those with an audience."""
    status, document = _ask(stage, forge.good(), OTHER)
    assert status == 401
    assert "check 33" in document["detail"]
    trust(stage, OTHER, forge.issuer, audience=None)
    assert _ask(stage, forge.good(), OTHER)[0] == 401


def test_a_removed_issuers_tokens_end_at_once(stage: ApiStage, forge: Forge) -> None:
    assert _ask(stage, forge.good())[0] == 200
    with stage.desk.database.tenant(TENANT) as connection:
        assert remove_issuer(connection, TENANT, forge.issuer, NOW_MS, actor="test")
    assert _ask(stage, forge.good())[0] == 401
    trust(stage, TENANT, forge.issuer)
    assert _ask(stage, forge.good())[0] == 200


def test_an_issuer_that_is_away_is_no_wrong_token(stage: ApiStage, forge: Forge) -> None:
    """Its keys cannot be had: 503, to be tried again; never 401, never let in."""
    away = Forge("http://127.0.0.1:1", forge.key, forge.now_s, forge.canary, forge.own)
    trust(stage, TENANT, away.issuer)
    status, document = _ask(stage, away.good())
    assert (status, document["type"]) == (503, "/docs/problems#provider-away")


def test_a_token_of_another_chain_is_unknown_here(stage: ApiStage) -> None:
    """T22: the host says which chain; nothing of a credential does."""
    token = stage.bearer(tenant=OTHER)
    assert _ask(stage, token, OTHER)[0] == 200
    assert _ask(stage, token, TENANT)[0] == 401


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer a b", "Bearer " + "ä" * 43, "Bearer " + "a" * 43],
)
def test_what_is_no_token_is_refused(stage: ApiStage, header: str) -> None:
    raw = [(b"authorization", header.encode("latin-1"))]
    answer = stage.client(None).get(WHO, headers=raw)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_cookie_and_a_token_never_come_together(stage: ApiStage) -> None:
    """RFC 6750, 2: one of the two would go unlooked at."""
    client = stage.client("anna")
    client.cookies.set(stage.desk.cookies.session, "x", domain=client.base_url.host)
    assert client.get(WHO).status_code == 400


def test_a_cookies_secret_is_no_token_and_a_tokens_no_cookie(stage: ApiStage) -> None:
    """Each kind of session is found by its own way in alone."""
    browser = stage.bearer(kind=CallerKind.BROWSER)
    assert _ask(stage, browser)[0] == 401
    for kind in (CallerKind.DEVICE, CallerKind.MACHINE):
        client = stage.client(None)
        secret = stage.bearer(kind=kind)
        assert _ask(stage, secret)[0] == 200
        client.cookies.set(stage.desk.cookies.session, secret, domain=client.base_url.host)
        assert client.get(WHO).status_code == 401


def test_no_request_of_the_api_takes_an_address(stage: ApiStage) -> None:
    """T23: no picture by URL, no webhook, no callback: nobody can send us anywhere."""
    description = stage.client(None).get("/openapi.json").json()
    schemas = description["components"]["schemas"]
    names: set[str] = set()
    for path in description["paths"].values():
        for operation in path.values():
            names |= {one["name"] for one in operation.get("parameters", ())}
            for content in operation.get("requestBody", {}).get("content", {}).values():
                names |= _fields(content["schema"], schemas)
    assert {"content_length", "grant_type"} <= names, "the walk sees the bodies"
    words = {word for name in names for word in name.lower().replace("-", "_").split("_")}
    assert words & {"url", "uri", "href", "link", "host", "address", "callback", "webhook"} == set()


def _fields(schema: dict[str, object], schemas: dict[str, dict[str, object]]) -> set[str]:
    """The names of a body's fields, however deep."""
    found: set[str] = set()
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return _fields(schemas[reference.rpartition("/")[2]], schemas)
    properties = schema.get("properties", {})
    assert isinstance(properties, dict)
    for name, inner in properties.items():
        found |= {name} | _fields(inner, schemas)
    for group in ("anyOf", "oneOf", "allOf"):
        for inner in schema.get(group, []):  # type: ignore[attr-defined]
            found |= _fields(inner, schemas)
    items = schema.get("items")
    return found | (_fields(items, schemas) if isinstance(items, dict) else set())
