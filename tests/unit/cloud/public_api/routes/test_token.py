"""Tokens for machines, and the end of any token of ours (RFC 6749, RFC 7009)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloud.public_api.adapters.api_clients import add_client, remove_client
from cloud.public_api.tries import PER_MINUTE, Try
from tests.builders.cloud_database import NOW_MS
from tests.builders.public_api import OTHER, TENANT, ApiStage, build_stage

if TYPE_CHECKING:
    from pathlib import Path

WHO = "/v1/recommendations"
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def stage(tmp_path: Path) -> ApiStage:
    return build_stage(tmp_path)


@pytest.fixture
def machine(stage: ApiStage) -> tuple[str, str]:
    """Its id and secret."""
    with stage.desk.database.tenant(TENANT) as connection:
        made, secret = add_client(connection, TENANT, "Partner", NOW_MS, actor="test")
    return made.client, secret


def _token(stage: ApiStage, form: dict[str, str], tenant: str = TENANT, **more: Any) -> Any:
    return stage.client(None, tenant=tenant).post("/v1/token", data=form, **more)


def _allowed(stage: ApiStage, token: str, tenant: str = TENANT) -> bool:
    answer = stage.client(None, tenant=tenant).get(WHO, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code in {200, 401}
    return bool(answer.status_code == 200)


def test_a_machine_gets_a_token_for_a_while(stage: ApiStage, machine: tuple[str, str]) -> None:
    """By HTTP Basic, or by the form; never kept by a cache; over when it says so."""
    by_basic = _token(stage, GRANT, auth=machine)
    by_form = _token(stage, GRANT | {"client_id": machine[0], "client_secret": machine[1]})
    for answer in (by_basic, by_form):
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        document = answer.json()
        assert document["token_type"] == "Bearer"
        assert _allowed(stage, document["access_token"])
    stage.clock[0] += by_basic.json()["expires_in"] * 1000
    assert not _allowed(stage, by_basic.json()["access_token"])


def test_a_machine_is_the_same_user_with_each_token_and_in_its_chain_alone(
    stage: ApiStage, machine: tuple[str, str]
) -> None:
    """T22: credentials and tokens are unknown at another chain's host."""
    token = _token(stage, GRANT, auth=machine).json()["access_token"]
    assert not _allowed(stage, token, OTHER)
    refused = _token(stage, GRANT, OTHER, auth=machine)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        (GRANT, 401, "invalid_client"),
        (GRANT | {"client_id": "{id}"}, 401, "invalid_client"),
        (GRANT | {"client_id": "{id}", "client_secret": "wrong"}, 401, "invalid_client"),
        (GRANT | {"client_id": "x" * 100, "client_secret": "{secret}"}, 401, "invalid_client"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}, 400, "invalid_grant"),
        (
            {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "a" * 43},
            400,
            "invalid_grant",
        ),
    ],
    ids=["empty", "grant", "nobody", "half", "secret", "unknown", "no-code", "wrong-code"],
)
def test_a_wrong_request_gets_the_documented_error(
    stage: ApiStage, machine: tuple[str, str], form: dict[str, str], status: int, error: str
) -> None:
    """RFC 6749, 5.2."""
    filled = {k: v.format(id=machine[0], secret=machine[1]) for k, v in form.items()}
    refused = _token(stage, filled)
    assert (refused.status_code, refused.json()["error"]) == (status, error)
    assert machine[1] not in refused.text


@pytest.mark.parametrize(
    "authorization", ["Basic", "Basic !!!", "Basic YQ==", "Bearer abc", "Basic " + "/" * 400, "Digest x"]
)
def test_a_header_that_holds_no_credentials_is_challenged(stage: ApiStage, authorization: str) -> None:
    refused = _token(stage, GRANT, headers={"authorization": authorization})
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic")


def test_credentials_come_once(stage: ApiStage, machine: tuple[str, str]) -> None:
    """RFC 6749, 2.3: in the header or in the form; no field twice; a form and nothing else."""
    twice = GRANT | {"client_id": machine[0], "client_secret": machine[1]}
    assert _token(stage, twice, auth=machine).json()["error"] == "invalid_request"
    assert _token(stage, GRANT | {"client_id": "other"}, auth=machine).json()["error"] == "invalid_request"
    client = stage.client(None)
    form_type = {"content-type": "application/x-www-form-urlencoded"}
    doubled = b"grant_type=client_credentials&grant_type=client_credentials"
    for body, headers in (
        (doubled, form_type),
        (b"\xff=%ff", form_type),
        (b"&".join(b"a%d=1" % one for one in range(50)), form_type),
        (b"{}", {"content-type": "application/json"}),
        (b"", {}),
    ):
        refused = client.post("/v1/token", content=body, headers=headers, auth=machine)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


def test_guesses_are_few_from_one_address(stage: ApiStage, machine: tuple[str, str]) -> None:
    """The right secret included: who guesses is not listened to for a while. Right ones are not counted."""
    for _ in range(PER_MINUTE[Try.CREDENTIALS] + 1):
        assert _token(stage, GRANT, auth=machine).status_code == 200
    for _ in range(PER_MINUTE[Try.CREDENTIALS]):
        assert _token(stage, GRANT, auth=(machine[0], "wrong")).status_code == 401
    refused = _token(stage, GRANT, auth=machine)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0


def test_a_removed_machine_is_out_at_once(stage: ApiStage, machine: tuple[str, str]) -> None:
    """Revocation: its credentials, and the tokens that it has."""
    token = _token(stage, GRANT, auth=machine).json()["access_token"]
    with stage.desk.database.tenant(TENANT) as connection:
        assert remove_client(connection, TENANT, machine[0], NOW_MS, actor="test")
        assert not remove_client(connection, TENANT, machine[0], NOW_MS, actor="test")
    assert not _allowed(stage, token)
    assert _token(stage, GRANT, auth=machine).status_code == 401


def test_who_holds_a_token_may_end_it(stage: ApiStage) -> None:
    """RFC 7009: at once; and what is no token, or another chain's, is answered alike and ends nothing."""
    token, other = stage.bearer(), stage.bearer(tenant=OTHER)
    client = stage.client(None)
    for text in (token, "nothing of ours", other, token):
        answer = client.post("/v1/token/revoke", data={"token": text})
        assert (answer.status_code, answer.content) == (200, b"")
    assert not _allowed(stage, token)
    assert _allowed(stage, other, OTHER)
    assert client.post("/v1/token/revoke", data={}).status_code == 400
