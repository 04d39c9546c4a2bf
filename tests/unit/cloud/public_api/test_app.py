"""What holds for every route."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from starlette.testclient import TestClient

from tests.builders.public_api import OTHER, TENANT, ApiStage, build_stage

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stage(tmp_path: Path) -> ApiStage:
    return build_stage(tmp_path)


@pytest.mark.parametrize("tenant", [TENANT, OTHER])
def test_a_chains_own_host_is_answered(stage: ApiStage, tenant: str) -> None:
    """Each chain has its host name; case does not matter."""
    answer = stage.client(None, tenant=tenant).get(
        "/docs/problems", headers={"host": f"{tenant.upper()}.api.example:443"}
    )
    assert answer.status_code == 200
    assert 'id="upload-expired"' in answer.text


@pytest.mark.parametrize(
    "host", ["nobody.api.example", "api.example", "gelateria-sole.evil.example", "..api.example"]
)
def test_another_host_is_no_chain(stage: ApiStage, host: str) -> None:
    """A host that belongs to no chain is answered 421, whatever is asked there."""
    answer = stage.client(None).get("/docs/problems", headers={"host": host})
    assert answer.status_code == 421
    assert answer.json()["type"] == "/docs/problems#unknown-chain"
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_failure_of_ours_writes_no_code_of_an_address_down(
    stage: ApiStage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """T26: the log says which route failed; a register's code is part of the address."""
    broken = ValueError("something of ours")
    monkeypatch.setattr("cloud.public_api.routes.pages.login_choices", Mock(side_effect=broken))
    client = TestClient(stage.app, base_url=stage.desk.origin(TENANT), raise_server_exceptions=False)
    assert client.get("/c/SECRET-CODE").status_code == 500
    (said,) = [one for one in caplog.records if one.message == "api.failed"]
    assert "SECRET-CODE" not in caplog.text
    assert "SECRET-CODE" not in repr(vars(said))
    assert "/c/{code}" in repr(vars(said))


def test_an_unknown_address_is_a_problem_document(stage: ApiStage) -> None:
    """404 and 405 are documents of the list."""
    client = stage.client(None)
    assert client.get("/nothing").json()["type"] == "/docs/problems#not-found"
    refused = client.post("/docs/problems")
    assert (refused.status_code, refused.json()["type"]) == (405, "/docs/problems#method-not-allowed")
    assert refused.headers["allow"] == "GET"


def test_a_long_body_is_refused_unread(stage: ApiStage) -> None:
    """413 above the limit, 400 for a body that does not say its length."""
    client = stage.client(None)
    assert client.post("/docs/problems", content=b"x" * 20_000).json()["status"] == 413
    unsaid = client.post("/docs/problems", content=iter([b"x"]))
    assert unsaid.json()["type"] == "/docs/problems#malformed"


def test_every_answer_has_its_headers(stage: ApiStage) -> None:
    """Refusals, too: an id, nothing kept, nothing framed, no server's name."""
    for path in ("/docs/problems", "/nothing"):
        headers = stage.client(None).get(path).headers
        assert len(headers["x-request-id"]) == 36
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["strict-transport-security"]
        assert "server" not in headers
    assert headers["cache-control"] == "no-store"
