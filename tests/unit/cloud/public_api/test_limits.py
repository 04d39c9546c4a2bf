"""Who may ask now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloud.public_api.adapters.api_limits import ApiLimits, put_limits
from cloud.public_api.limits import BELIEVED_MS, SHARED_ADDRESS, Limits
from tests.builders.public_api import OTHER, TENANT, ApiStage, build_stage

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 5


@pytest.fixture
def stage(tmp_path: Path) -> ApiStage:
    return build_stage(tmp_path, requests_per_minute=LIMIT)


def _statuses(client: Any, times: int, path: str = "/v1/recommendations") -> list[int]:
    return [client.get(path).status_code for _ in range(times)]


def test_a_person_is_told_to_wait_and_how_long(stage: ApiStage) -> None:
    """T27: beyond the limit 429, with the time to wait; the headers say so before."""
    client = stage.client()
    first = client.get("/v1/recommendations")
    assert first.headers["ratelimit-policy"] == f'"requests";q={LIMIT};w=60'
    assert first.headers["ratelimit"].startswith(f'"requests";r={LIMIT - 1};t=')
    assert _statuses(client, LIMIT) == [200] * (LIMIT - 1) + [429]
    refused = client.get("/v1/recommendations")
    assert refused.json()["type"] == "/docs/problems#too-many-requests"
    stage.clock[0] += int(refused.headers["retry-after"]) * 1000
    assert client.get("/v1/recommendations").status_code == 200


def test_many_tokens_of_one_person_are_one_person(stage: ApiStage) -> None:
    """Who logs in again has no more requests than before."""
    assert _statuses(stage.client("anna"), LIMIT) == [200] * LIMIT
    assert _statuses(stage.client("anna"), 1) == [429]
    assert _statuses(stage.client("bert"), 1) == [200]


def test_another_chain_is_not_concerned(stage: ApiStage) -> None:
    """T27: the same address and person at another chain has limits of its own."""
    _statuses(stage.client("anna"), LIMIT + 3)
    assert _statuses(stage.client("anna", tenant=OTHER), LIMIT) == [200] * LIMIT


def test_without_a_credential_the_address_counts(stage: ApiStage) -> None:
    """Pages that need no login have the limit, too."""
    client = stage.client(None)
    assert _statuses(client, LIMIT + 1, "/docs") == [200] * LIMIT + [429]


def test_busy_people_leave_room_for_visitors_at_their_address(stage: ApiStage) -> None:
    """T27: the shop's kiosk and its customers' phones share an address; a first visit is answered still."""
    for name in ("anna", "bert"):
        assert _statuses(stage.client(name), LIMIT) == [200] * LIMIT
    assert _statuses(stage.client(None), LIMIT + 1, "/docs") == [200] * LIMIT + [429]


def test_who_guesses_tokens_is_not_listened_to(stage: ApiStage) -> None:
    """T22, T27: after so many wrong tokens, no statement is spent on that address."""
    client = stage.client(None)
    answers = [
        client.get("/v1/recommendations", headers={"authorization": f"Bearer guess{number}"}).status_code
        for number in range(LIMIT + 2)
    ]
    assert answers == [401] * LIMIT + [429] * 2


def test_a_kiosk_with_an_old_token_shuts_no_browser_out(stage: ApiStage) -> None:
    """T27: its wrong tokens are not listened to any more; phones at the same address are."""
    client = stage.client(None)
    for number in range(LIMIT + 1):
        client.get("/v1/recommendations", headers={"authorization": f"Bearer old{number}"})
    assert client.get("/docs", headers={"authorization": "Bearer other"}).status_code == 429
    assert client.get("/docs", headers={"cookie": "topscoop-language=de"}).status_code == 200


def test_who_makes_up_credentials_is_one_address(stage: ApiStage) -> None:
    """On pages that look at no credential, too."""
    client = stage.client(None)
    answers = [
        client.get("/docs", headers={"cookie": f"x={number}"}).status_code
        for number in range(SHARED_ADDRESS * LIMIT + 1)
    ]
    assert answers == [200] * SHARED_ADDRESS * LIMIT + [429]


def test_a_chain_may_have_limits_of_its_own(stage: ApiStage) -> None:
    """They hold after a few seconds, without a restart."""
    client = stage.client()
    _statuses(client, LIMIT)
    with stage.desk.database.tenant(TENANT) as connection:
        put_limits(connection, TENANT, ApiLimits(100, 10, 2 * LIMIT, 30))
    assert _statuses(client, 1) == [429]
    stage.clock[0] += BELIEVED_MS
    assert client.get("/v1/recommendations").headers["ratelimit-policy"] == f'"requests";q={2 * LIMIT};w=60'


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.7", "203.0.113.9", "192.0.2.7"),
        ("10.1.2.3", "203.0.113.9", "203.0.113.9"),
        ("10.1.2.3", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("10.1.2.3", "nonsense", "10.1.2.3"),
        ("10.1.2.3", None, "10.1.2.3"),
        ("2001:db8:1:2:3::4", None, "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", None, "192.0.2.7"),
        ("testclient", None, "testclient"),
    ],
)
def test_only_a_gateway_is_believed(stage: ApiStage, peer: str, forwarded: str | None, address: str) -> None:
    """T27: a client cannot say that it is somebody else; a household's IPv6 addresses are one."""
    desk = stage.desk
    config = type(desk.config.public_api)(gateways="10.0.0.0/8, fd00::/8")
    limits = Limits(config, desk.database, desk.now_ms)
    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]
    assert limits.address({"type": "http", "client": (peer, 1), "headers": headers}) == address
