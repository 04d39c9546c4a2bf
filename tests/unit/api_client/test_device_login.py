"""A person approves a device; it asks no faster than it may (RFC 8628)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api_client import ApiError, DeviceAnswer
from tests.builders.api_login import csrf_of, let_in, log_in
from tests.builders.client_stage import ORIGIN, ClientStage
from tests.builders.cloud_database import NOW_MS
from tests.builders.identity_provider import Provider, running_provider
from tests.builders.public_api import TENANT


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider(NOW_MS // 1000) as made:
        yield made


@pytest.fixture
def stage(tmp_path: Path, provider: Provider) -> ClientStage:
    made = ClientStage(tmp_path)
    let_in(made.api, provider)
    return made


def _decide(stage: ClientStage, provider: Provider, code: DeviceAnswer, answer: str) -> None:
    browser = stage.api.client(None)
    log_in(browser, provider)
    form = {"user_code": code.user_code, "answer": answer, "csrf": csrf_of(browser, code.user_code)}
    decided = browser.post("/device", data=form, headers={"origin": ORIGIN})
    assert decided.status_code == 200, decided.text


def test_a_yes_logs_the_device_in(stage: ClientStage, provider: Provider) -> None:
    """The code is shown once; while nobody has answered, it asks every five seconds."""
    shown: list[DeviceAnswer] = []
    waits: list[int] = []

    def wait() -> None:
        waits.append(len(stage.pauses))
        if len(waits) == 2:
            _decide(stage, provider, shown[0], "yes")

    with stage.chain() as chain:
        chain.login_device(shown.append, wait)
        assert chain.logged_in
        assert list(chain.history()) == []
    assert len(shown) == 1
    assert shown[0].verification_uri == f"{ORIGIN}/device"
    assert stage.pauses == [5, 5, 5]
    with stage.chain() as later:
        assert later.logged_in


def test_a_no_is_told(stage: ClientStage, provider: Provider) -> None:
    """Nothing is kept."""
    with stage.chain() as chain, pytest.raises(ApiError) as error:
        chain.login_device(lambda code: _decide(stage, provider, code, "no"))
    assert error.value.slug == "access_denied"
    assert error.value.remedy
    assert stage.logins.read(ORIGIN) is None


def test_a_code_that_nobody_answers_ends(stage: ClientStage) -> None:
    """With its ten minutes."""
    with stage.chain() as chain, pytest.raises(ApiError) as error:
        chain.login_device(lambda _: None)
    assert error.value.slug == "expired_token"
    assert sum(stage.pauses) <= 610


def test_it_slows_down_when_told(stage: ClientStage, provider: Provider) -> None:
    """RFC 8628, 3.5: five seconds more, from then on."""
    slow = {"error": "slow_down", "error_description": "ask less often"}
    stage.script("POST /v1/token", httpx.Response(400, json=slow), httpx.Response(400, json=slow))
    with stage.chain() as chain:
        chain.login_device(lambda code: _decide(stage, provider, code, "yes"))
    assert stage.pauses == [5, 10, 15]


def test_only_the_chain_of_the_login_is_logged_in(stage: ClientStage, provider: Provider) -> None:
    """A token of one chain is no token at another host."""
    with stage.chain() as chain:
        chain.login_device(lambda code: _decide(stage, provider, code, "yes"))
    assert TENANT in ORIGIN
    assert stage.logins.read(ORIGIN.replace(TENANT, "eisdiele-nord")) is None
