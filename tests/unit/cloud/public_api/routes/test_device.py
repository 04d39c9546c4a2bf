"""A device shows a code, a person approves it in a browser, the device gets a token (RFC 8628)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloud.identity.adapters.issuers import remove_issuer
from cloud.public_api.adapters.device_grants import INTERVAL_S, LIFE_S
from cloud.public_api.routes.token import DEVICE_GRANT
from cloud.public_api.tries import PER_MINUTE, Try
from tests.builders.api_login import csrf_of, let_in, log_in
from tests.builders.cloud_database import NOW_MS
from tests.builders.identity_provider import Provider, running_provider
from tests.builders.public_api import OTHER, TENANT, ApiStage, build_stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

WHO = "/v1/recommendations"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider(NOW_MS // 1000) as made:
        yield made


@pytest.fixture
def stage(tmp_path: Path, provider: Provider) -> ApiStage:
    made = build_stage(tmp_path)
    let_in(made, provider)
    return made


@pytest.fixture
def browser(stage: ApiStage, provider: Provider) -> TestClient:
    """Of a person who has logged in."""
    made = stage.client(None)
    log_in(made, provider)
    return made


def _begin(stage: ApiStage) -> dict[str, Any]:
    answer = stage.client(None).post("/v1/device", data={"client_id": "topscoop"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    document: dict[str, Any] = answer.json()
    return document


def _poll(stage: ApiStage, begun: dict[str, Any], tenant: str = TENANT) -> tuple[int, dict[str, Any]]:
    form = {"grant_type": DEVICE_GRANT, "device_code": begun["device_code"]}
    answer = stage.client(None, tenant=tenant).post("/v1/token", data=form)
    return answer.status_code, answer.json()


def _decide(stage: ApiStage, browser: TestClient, begun: dict[str, Any], answer: str = "yes") -> Any:
    code = begun["user_code"]
    form = {"user_code": code, "answer": answer, "csrf": csrf_of(browser, code)}
    return browser.post("/device", data=form, headers={"origin": stage.desk.origin(TENANT)})


def test_a_device_gets_one_token_for_one_approval(stage: ApiStage, browser: TestClient) -> None:
    """The token is of who approved, and the code is spent."""
    begun = _begin(stage)
    assert begun["verification_uri_complete"].endswith(f"?user_code={begun['user_code']}")
    assert _poll(stage, begun)[1]["error"] == "authorization_pending"
    assert _decide(stage, browser, begun).status_code == 200
    status, token = _poll(stage, begun)
    assert (status, token["token_type"]) == (200, "Bearer")
    device = stage.client(None)
    device.headers["authorization"] = f"Bearer {token['access_token']}"
    assert device.get(WHO).status_code == 200
    assert _poll(stage, begun)[1]["error"] == "invalid_grant"


def test_the_code_may_be_typed_as_people_type(stage: ApiStage, browser: TestClient) -> None:
    begun = _begin(stage)
    typed = begun["user_code"].replace("-", " ").lower()
    assert begun["user_code"] in browser.get("/device", params={"user_code": typed}).text


def test_who_asks_too_often_is_told_to_slow_down(stage: ApiStage) -> None:
    begun = _begin(stage)
    told = [_poll(stage, begun)[1]["error"] for _ in range(2)]
    stage.clock[0] += INTERVAL_S * 1000
    told.append(_poll(stage, begun)[1]["error"])
    assert told == ["authorization_pending", "slow_down", "authorization_pending"]


def test_a_person_says_no(stage: ApiStage, browser: TestClient) -> None:
    begun = _begin(stage)
    assert _decide(stage, browser, begun, "no").status_code == 200
    assert _poll(stage, begun)[1]["error"] == "access_denied"


def test_after_its_time_a_code_is_over(stage: ApiStage, browser: TestClient) -> None:
    """Also one that was approved in time: nobody waits there any more."""
    approved, waiting = _begin(stage), _begin(stage)
    _decide(stage, browser, approved)
    stage.clock[0] += LIFE_S * 1000
    assert _poll(stage, approved)[1]["error"] == "expired_token"
    assert _poll(stage, waiting)[1]["error"] == "expired_token"
    page = browser.get("/device", params={"user_code": waiting["user_code"]}).text
    assert 'name="csrf"' not in page
    # The next one that begins takes the old ones away.
    _begin(stage)
    assert _poll(stage, waiting)[1]["error"] == "invalid_grant"


def test_wrong_codes_are_few(stage: ApiStage, browser: TestClient) -> None:
    """RFC 8628, 5.1: five, then none is looked at for a while, the right one included."""
    begun = _begin(stage)
    for number in range(PER_MINUTE[Try.USER_CODE]):
        code = "BCDFGHJ" + "KLMNPQ"[number]
        assert browser.get("/device", params={"user_code": code}).status_code == 200
    refused = browser.get("/device", params={"user_code": begun["user_code"]})
    assert refused.status_code == 429
    assert "csrf" not in refused.text
    stage.clock[0] += 120_000
    assert 'name="csrf"' in browser.get("/device", params={"user_code": begun["user_code"]}).text


def test_only_a_person_in_a_browser_approves(stage: ApiStage, browser: TestClient) -> None:
    """RFC 8628, 5.4: no token makes another one, and no other site's form does."""
    begun = _begin(stage)
    form = {"user_code": begun["user_code"], "answer": "yes"}
    assert stage.client("anna").post("/device", data=form).status_code == 403
    assert stage.client(None).post("/device", data=form).status_code == 401
    evil = browser.post("/device", data=form, headers={"origin": "https://evil.example"})
    assert evil.status_code == 403
    no_token = browser.post("/device", data=form, headers={"origin": stage.desk.origin(TENANT)})
    assert no_token.status_code == 403
    assert _poll(stage, begun)[1]["error"] == "authorization_pending"


def test_who_is_not_logged_in_logs_in_first_and_comes_back(stage: ApiStage, provider: Provider) -> None:
    begun = _begin(stage)
    browser = stage.client(None)
    there = browser.get("/device", params={"user_code": begun["user_code"]}).headers["location"]
    assert there.startswith("/login?goal=")
    from urllib.parse import unquote

    goal = unquote(there.removeprefix("/login?goal="))
    assert log_in(browser, provider, goal=goal).headers["location"] == goal
    assert 'name="csrf"' in browser.get(goal).text


def test_a_code_is_of_its_chain_alone(stage: ApiStage, browser: TestClient) -> None:
    """T22: the same code at another chain's host is none."""
    begun = _begin(stage)
    _decide(stage, browser, begun)
    assert _poll(stage, begun, OTHER)[1]["error"] == "invalid_grant"
    assert _poll(stage, begun)[0] == 200


def test_a_devices_token_ends_with_its_persons_provider(
    stage: ApiStage, browser: TestClient, provider: Provider
) -> None:
    """Revocation reaches the devices that somebody approved, and those that wait for their token."""
    one, two = _begin(stage), _begin(stage)
    _decide(stage, browser, one)
    _decide(stage, browser, two)
    token = _poll(stage, one)[1]["access_token"]
    with stage.desk.database.tenant(TENANT) as connection:
        remove_issuer(connection, TENANT, provider.url, NOW_MS, actor="test")
    answer = stage.client(None).get(WHO, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert _poll(stage, two)[1]["error"] == "invalid_grant"


def test_devices_that_wait_are_few_from_one_address(stage: ApiStage) -> None:
    for _ in range(PER_MINUTE[Try.GRANT] - 1):
        stage.desk.tries.count(Try.GRANT, TENANT, "testclient")  # the address of such clients
    _begin(stage)
    assert stage.client(None).post("/v1/device").status_code == 429
