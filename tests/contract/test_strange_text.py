"""Text that a database cannot hold: refused over both, and nothing fails."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders.cloud_database import add_tenants, postgres_service
from tests.builders.public_api import OTHER, TENANT, ApiStage, build_stage, stage_over

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.builders.postgres import PostgresCluster

TEXTS = ("\0", "a\0b", "\ud800", "\U0010ffff", "\u202e", "x" * 65, "x" * 4000)
UPLOAD = {"content_length": 1000, "sha256": "ab" * 32}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiStage]:
    folder = tmp_path_factory.mktemp("strange")
    if request.param == "sqlite":
        yield build_stage(folder)
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
    with cluster.fresh_database() as postgres, postgres_service(postgres) as database:
        add_tenants(database, TENANT, OTHER)
        yield stage_over(database, folder)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:3]))
def test_a_machines_id_or_secret_is_any_text(stage: ApiStage, text: str) -> None:
    """T22: credentials of bytes that PostgreSQL keeps in no text are wrong credentials, no failure."""
    client = stage.client(None)
    for name in ("client_id", "client_secret"):
        form = {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"}
        sent = {key: value.encode("utf-8", "surrogatepass") for key, value in (form | {name: text}).items()}
        assert client.post("/v1/token", data=sent).status_code in {400, 401, 429}
    basic = base64.b64encode(f"{text}:b".encode("utf-8", "surrogatepass")).decode()
    answer = client.post(
        "/v1/token", data={"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {basic}"}
    )
    assert answer.status_code in {400, 401, 429}


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:3]))
def test_what_is_known_beside_a_picture_is_any_text(stage: ApiStage, text: str) -> None:
    """A ticket with it is given, or it is refused; and its owner can still export everything."""
    client = stage.client()
    body: Any = UPLOAD | {"context": {"shop": text}}
    answer = client.post(
        "/v1/uploads", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {201, 422, 400}
    assert client.get("/v1/me/export").status_code == 200
    address = "/v1/handovers/" + "".join(f"%{one:02x}" for one in text[:9].encode("utf-8", "surrogatepass"))
    for path in (
        address,
        "/v1/recommendations?cursor=%00",
        "/v1/notice?language=%00",
        "/device?user_code=%00",
    ):
        assert client.get(path).status_code < 500
