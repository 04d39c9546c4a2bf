"""The login against a provider that lies in one respect at a time."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from cloud.identity.code_flow import CodeFlow
from cloud.identity.errors import LoginFailed, ProviderAway
from cloud.identity.provider import OpenIdProvider
from cloud.identity.values import Identity, LoginAttempt
from tests.builders.identity_provider import CLIENT, Provider, confused, running_provider, unsigned

NOW_S = 1_795_000_000
_TLS = ssl.create_default_context()


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running_provider(NOW_S) as made:
        yield made


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


def _flow(issuer: str, clock: list[float]) -> CodeFlow:
    return CodeFlow(
        OpenIdProvider(issuer, monotonic=lambda: clock[0], tls=_TLS),
        CLIENT,
        "secret",
        "https://console.example/login/callback",
        now_s=lambda: NOW_S,
        home="/overview",
        scope="openid profile",
    )


@pytest.fixture
def login(provider: Provider, clock: list[float]) -> CodeFlow:
    return _flow(provider.url, clock)


def _log_in(login: CodeFlow, provider: Provider) -> Identity:
    attempt, url = login.begin("/fleet?q=a")
    return login.finish(LoginAttempt.parse(attempt.text()), provider.authorize(url))


def test_who_the_provider_names_is_logged_in(login: CodeFlow, provider: Provider) -> None:
    """Code, verifier, nonce and state fit; the code works once."""
    attempt, url = login.begin("/fleet?q=a")
    assert attempt.verifier not in url
    assert attempt.nonce in url
    answer = provider.authorize(url)
    assert login.finish(attempt, answer) == Identity(provider.url, "anna", "Anna")
    with pytest.raises(LoginFailed, match="refused the code"):
        login.finish(attempt, answer)


def test_each_login_has_values_of_its_own(login: CodeFlow) -> None:
    one, two = login.begin("/")[0], login.begin("/")[0]
    assert not {one.state, one.nonce, one.verifier} & {two.state, two.nonce, two.verifier}
    assert len(one.verifier) >= 43


def test_an_answer_to_another_browsers_login_is_refused(login: CodeFlow, provider: Provider) -> None:
    """T24: nobody can make a browser log in as somebody else (login CSRF)."""
    mine, _ = login.begin("/")
    _, theirs = login.begin("/")
    for attempt in (mine, None):
        with pytest.raises(LoginFailed, match="not begun in this browser"):
            login.finish(attempt, provider.authorize(theirs))
    assert "/token" not in provider.asked, "the code went nowhere"


def test_a_code_is_worth_nothing_without_its_verifier(login: CodeFlow, provider: Provider) -> None:
    """A code that was injected belongs to another login."""
    mine, mine_url = login.begin("/")
    _, theirs = login.begin("/")
    answer = {**provider.authorize(mine_url), "code": provider.authorize(theirs)["code"]}
    with pytest.raises(LoginFailed, match="refused the code"):
        login.finish(mine, answer)


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": None},
        {"aud": [CLIENT, "another-client"]},
        {"azp": "another-client"},
        {"exp": NOW_S - 61},
        {"exp": None},
        {"iat": None},
        {"iat": NOW_S + 3600},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "a" * 256},
        {"sub": 7},
        {"nbf": NOW_S + 3600},
    ],
    ids=lambda change: "-".join(f"{name}_{str(value)[:24]}" for name, value in change.items()),
)
def test_a_token_with_one_wrong_claim_is_refused(
    login: CodeFlow, provider: Provider, change: dict[str, Any]
) -> None:
    """T22: issuer, audience, times, nonce and subject are each looked at."""
    provider.change = change
    with pytest.raises(LoginFailed):
        _log_in(login, provider)


@pytest.mark.parametrize(
    "trick", ["none", "hmac", "other-key", "no-kid-other-key", "jwk-header", "jku-header"]
)
def test_a_forged_signature_is_refused(login: CodeFlow, provider: Provider, trick: str) -> None:
    """T22: no algorithm, key or header of an attacker's choice."""
    forger = ECKey.generate_key("P-256", {"kid": "one"})
    header: dict[str, Any] = {"alg": "ES256", "kid": "one"}
    signers: dict[str, Callable[[dict[str, Any], dict[str, Any]], str]] = {
        "none": unsigned,
        "hmac": confused(provider.key.as_pem(private=False)),
    }
    more: dict[str, dict[str, Any]] = {
        "no-kid-other-key": {"kid": "unknown"},
        "jwk-header": {"jwk": forger.as_dict(private=False)},
        "jku-header": {"jku": provider.url + "/evil-keys"},
    }

    def forged(_: dict[str, Any], claims: dict[str, Any]) -> str:
        return jwt.encode(header | more.get(trick, {}), claims, forger)

    provider.sign = signers.get(trick, forged)
    with pytest.raises(LoginFailed):
        _log_in(login, provider)
    assert "/evil-keys" not in provider.asked


def test_new_keys_of_the_provider_are_fetched_but_not_for_every_forgery(
    login: CodeFlow, provider: Provider, clock: list[float]
) -> None:
    assert _log_in(login, provider).subject == "anna"
    provider.key = ECKey.generate_key("P-256", {"kid": "two", "use": "sig"})
    provider.header = {**provider.header, "kid": "two"}
    with pytest.raises(LoginFailed):
        _log_in(login, provider)
    assert provider.asked.count("/keys") == 1, "asked again too soon"
    clock[0] = 61.0
    assert _log_in(login, provider).subject == "anna"
    assert provider.asked.count("/keys") == 2


def test_the_answer_of_another_provider_is_refused(login: CodeFlow, provider: Provider) -> None:
    """RFC 9207: no mix-up of providers, also where the answer does not say whose it is."""
    attempt, url = login.begin("/")
    answer = provider.authorize(url)
    for wrong in (
        {**answer, "iss": "https://other.example"},
        {k: v for k, v in answer.items() if k != "iss"},
    ):
        with pytest.raises(LoginFailed, match="another identity provider"):
            login.finish(attempt, wrong)


def test_a_login_that_was_begun_at_another_provider_is_not_finished_here(
    login: CodeFlow, provider: Provider
) -> None:
    """Mix-up (RFC 9700, 4.4): the code of one provider is never carried to another one's token endpoint."""
    attempt, url = login.begin("/")
    answer = {"code": provider.authorize(url)["code"], "state": attempt.state, "iss": provider.url}
    with pytest.raises(LoginFailed, match="another identity provider"):
        login.finish(replace(attempt, issuer="https://evil.example"), answer)
    assert "/token" not in provider.asked, "the code went nowhere"


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "http://127.0.0.1:1"},
        {"token_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"code_challenge_methods_supported": ["plain"]},
    ],
    ids=lambda document: next(iter(document)),
)
def test_a_provider_that_describes_itself_wrongly_is_refused(
    login: CodeFlow, provider: Provider, document: dict[str, Any]
) -> None:
    provider.document = document
    with pytest.raises(LoginFailed):
        login.begin("/")


def test_refusal_and_silence_are_told_apart(login: CodeFlow, provider: Provider) -> None:
    attempt, _ = login.begin("/")
    denied = {"state": attempt.state, "iss": provider.url, "error": "access_denied"}
    with pytest.raises(LoginFailed, match="access_denied"):
        login.finish(attempt, denied)
    with pytest.raises(LoginFailed, match="no code"):
        login.finish(attempt, {"state": attempt.state, "iss": provider.url})
    with pytest.raises(ProviderAway):
        _flow("http://127.0.0.1:1", [0.0]).begin("/")


def test_a_state_of_any_letters_is_refused(login: CodeFlow) -> None:
    """T24: what is no ASCII is another state, not a defect of ours."""
    attempt, _ = login.begin("/")
    for state in ("zustände", "\ud800", ""):
        with pytest.raises(LoginFailed, match="not begun in this browser"):
            login.finish(attempt, {"state": state, "code": "x"})
    with pytest.raises(LoginFailed, match="not begun in this browser"):
        login.finish(replace(attempt, state="zustände"), {"state": attempt.state, "code": "x"})


_DEEP = base64.urlsafe_b64encode(b"[" * 6000).decode()


@pytest.mark.parametrize(
    "text", ["", "x", "e30", "bnVsbA", "W10", "eyJzdGF0ZSI6MX0", pytest.param(_DEEP, id="deep")]
)
def test_a_login_cookie_that_is_none_is_none(text: str) -> None:
    assert LoginAttempt.parse(text) is None


def test_a_login_cookie_leads_to_own_pages_only(login: CodeFlow) -> None:
    attempt, _ = login.begin("//evil.example")
    assert attempt.goal == "/overview"
    assert LoginAttempt.parse(attempt.text()) == attempt
    assert LoginAttempt.parse(replace(attempt, nonce="").text()) is None
