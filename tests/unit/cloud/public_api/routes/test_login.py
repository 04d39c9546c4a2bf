"""Login and logout, as a browser sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud.identity.adapters.issuers import remove_issuer
from cloud.public_api.tries import PER_MINUTE, Try
from tests.builders.api_login import begin, come_back, let_in, log_in
from tests.builders.cloud_database import NOW_MS
from tests.builders.identity_provider import Provider, running_provider
from tests.builders.public_api import HOUR_MS, OTHER, TENANT, ApiStage, build_stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

WHO = "/v1/recommendations"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running_provider(NOW_MS // 1000) as made:
        yield made


@pytest.fixture
def stage(tmp_path: Path, provider: Provider) -> ApiStage:
    made = build_stage(tmp_path)
    let_in(made, provider)
    return made


@pytest.fixture
def browser(stage: ApiStage) -> TestClient:
    return stage.client(None)


def _cookie(stage: ApiStage, browser: TestClient) -> str:
    return browser.cookies[stage.desk.cookies.session]


def test_the_page_has_a_button_for_each_provider(
    stage: ApiStage, browser: TestClient, provider: Provider
) -> None:
    page = browser.get("/login", params={"goal": "/device"})
    assert page.status_code == 200
    assert "Club" in page.text
    assert "/login/" in page.text
    assert begin(browser, provider).headers["location"].startswith(provider.url)


def test_a_person_logs_in_and_out(stage: ApiStage, browser: TestClient, provider: Provider) -> None:
    assert browser.get(WHO).status_code == 401
    answer = log_in(browser, provider, goal="/try?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/try?x=1")
    cookie = next(one for one in answer.headers.get_list("set-cookie") if "Max-Age=0" not in one)
    assert cookie.startswith("__Host-")
    assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"))
    assert "Domain" not in cookie
    assert browser.get(WHO).status_code == 200
    assert browser.get("/login").status_code == 303, "who is in need not log in"


def test_only_what_comes_from_our_page_logs_out(
    stage: ApiStage, browser: TestClient, provider: Provider
) -> None:
    """T22: a cookie alone changes nothing: Fetch Metadata, Origin and the session's token must fit."""
    log_in(browser, provider)
    token = _csrf(stage, browser)
    origin = stage.desk.origin(TENANT)
    good = {"origin": origin, "x-csrf-token": token, "sec-fetch-site": "same-origin"}
    for change in (
        {"origin": "https://evil.example"},
        {"origin": stage.desk.origin(OTHER)},
        {"origin": "null"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
        {"x-csrf-token": ""},
        {"x-csrf-token": token[:-1]},
    ):
        refused = browser.post("/logout", headers=good | change)
        assert (refused.status_code, refused.json()["type"]) == (403, "/docs/problems#not-genuine")
    assert browser.get(WHO).status_code == 200
    secret = _cookie(stage, browser)
    assert browser.post("/logout", headers=good).status_code == 303
    assert browser.get(WHO).status_code == 401
    # Whoever copied the cookie is out as well.
    browser.cookies.set(stage.desk.cookies.session, secret, domain=browser.base_url.host)
    assert browser.get(WHO).status_code == 401


def test_a_login_makes_a_new_session_whatever_the_browser_held(
    stage: ApiStage, browser: TestClient, provider: Provider
) -> None:
    """T22: a session that somebody planted is not the one that the person logs in to (fixation)."""
    planted = stage.client(None)
    log_in(planted, provider, subject="evil")
    theirs = _cookie(stage, planted)
    browser.cookies.set(stage.desk.cookies.session, theirs, domain=browser.base_url.host)
    began = begin(browser, provider)
    answer = come_back(browser, provider, provider.authorize(began.headers["location"]))
    assert answer.status_code == 303
    mine = next(
        one.split("=", 1)[1].split(";")[0]
        for one in answer.headers.get_list("set-cookie")
        if one.startswith(stage.desk.cookies.session + "=")
    )
    assert mine != theirs
    # And the planted one has ended.
    assert planted.get(WHO).status_code == 401


def test_a_session_is_of_its_chain_alone(stage: ApiStage, browser: TestClient, provider: Provider) -> None:
    """T22: another chain's host knows nothing of it, even where the cookie is carried there."""
    log_in(browser, provider)
    other = stage.client(None, tenant=OTHER)
    other.cookies.set(stage.desk.cookies.session, _cookie(stage, browser), domain=other.base_url.host)
    assert other.get(WHO).status_code == 401


def test_a_chain_lets_in_people_of_its_own_providers_alone(stage: ApiStage, provider: Provider) -> None:
    """T22: another chain's issuer is not one here."""
    other = stage.client(None, tenant=OTHER)
    assert begin(other, provider).status_code == 404
    assert come_back(other, provider, {"code": "x", "state": "y"}).status_code == 404


def test_an_answer_from_another_provider_is_refused(
    stage: ApiStage, browser: TestClient, provider: Provider
) -> None:
    """Mix-up (RFC 9700, 4.4): a login that was begun at one provider does not end at another's address."""
    with running_provider(NOW_MS // 1000) as evil:
        let_in(stage, evil, label="Evil")
        began = begin(browser, evil)
        # The evil provider sends the browser on to the honest one, with its own login's state.
        honest = begin(stage.client(None), provider).headers["location"]
        answer = provider.authorize(honest)
        state = evil.authorize(began.headers["location"])["state"]
        query = {"code": answer["code"], "state": state, "iss": provider.url}
        for refused in (come_back(browser, provider, query), come_back(browser, evil, query)):
            assert refused.status_code == 400
        assert "/token" not in evil.asked, "the honest provider's code went nowhere"
        assert "/token" not in provider.asked


@pytest.mark.parametrize(
    "goal", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"]
)
def test_a_login_leads_to_own_pages_alone(
    stage: ApiStage, browser: TestClient, provider: Provider, goal: str
) -> None:
    assert log_in(browser, provider, goal=goal).headers["location"] == "/try"


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"code": "x"},
        {"state": "x"},
        {"code": "x", "state": "x", "iss": "https://evil.example"},
        {"error": "access_denied", "state": "x"},
    ],
    ids=["nothing", "code", "state", "other", "error"],
)
def test_an_answer_to_no_login_is_refused(
    stage: ApiStage, browser: TestClient, provider: Provider, query: dict[str, str]
) -> None:
    begin(browser, provider)
    refused = come_back(browser, provider, query)
    assert refused.status_code == 400
    assert stage.desk.cookies.session not in browser.cookies
    assert "/token" not in provider.asked


def test_a_parameter_that_stands_twice_is_refused(
    stage: ApiStage, browser: TestClient, provider: Provider
) -> None:
    began = begin(browser, provider)
    query = provider.authorize(began.headers["location"])
    path = f"/login/callback/{began.request.url.path.rpartition('/')[2]}"
    text = "&".join(f"{name}={value}" for name, value in query.items())
    assert browser.get(f"{path}?{text}&code=other").status_code == 400


def test_a_provider_that_is_away_is_a_page_and_no_defect(stage: ApiStage, browser: TestClient) -> None:
    away = Provider(NOW_MS // 1000, url="http://127.0.0.1:1")
    let_in(stage, away)
    assert begin(browser, away).status_code == 503


def test_logins_are_few_from_one_address(stage: ApiStage, browser: TestClient, provider: Provider) -> None:
    """Each may cost a request to the provider."""
    for _ in range(PER_MINUTE[Try.LOGIN] - 1):
        stage.desk.tries.count(Try.LOGIN, TENANT, "testclient")  # the address of such clients
    assert begin(browser, provider).status_code == 303
    refused = begin(browser, provider)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0


def test_a_session_ends_by_itself(stage: ApiStage, browser: TestClient, provider: Provider) -> None:
    """After a time of silence, and after its time whatever is done meanwhile."""
    config = stage.desk.config.public_api
    log_in(browser, provider)
    step_ms = config.idle_minutes * 60_000 - 1
    began_ms = stage.clock[0]
    while stage.clock[0] + step_ms < began_ms + config.session_hours * HOUR_MS:
        stage.clock[0] += step_ms
        assert browser.get(WHO).status_code == 200
    stage.clock[0] = began_ms + config.session_hours * HOUR_MS
    assert browser.get(WHO).status_code == 401
    stage.clock[0] = began_ms
    log_in(browser, provider)
    stage.clock[0] += config.idle_minutes * 60_000
    assert browser.get(WHO).status_code == 401


def test_removing_a_provider_logs_its_people_out(
    stage: ApiStage, browser: TestClient, provider: Provider
) -> None:
    """Revocation: from the next request on; adding it again brings no session back."""
    log_in(browser, provider)
    with stage.desk.database.tenant(TENANT) as connection:
        assert remove_issuer(connection, TENANT, provider.url, NOW_MS, actor="test")
    assert browser.get(WHO).status_code == 401
    let_in(stage, provider)
    assert browser.get(WHO).status_code == 401


def _csrf(stage: ApiStage, browser: TestClient) -> str:
    from sqlalchemy import select

    from cloud.database.schema import api_sessions
    from cloud.identity.encoding import base64url
    from cloud.public_api.cookies import session_of

    statement = select(api_sessions.c.csrf).where(
        api_sessions.c.session == session_of(_cookie(stage, browser))
    )
    with stage.desk.database.tenant(TENANT, read_only=True) as connection:
        return base64url(connection.execute(statement).scalar_one())
