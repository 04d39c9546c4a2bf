"""Every route, walked by another chain: nothing is shown and nothing changes, on both databases.

On PostgreSQL also with the tenant taken out of every statement's conditions: row-level security alone holds.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import event, insert, select, text

from cloud.database.engine import open_database
from cloud.database.schema import TENANT_TABLES, device_grants, recommendations, uploads
from cloud.intake.values import ObjectPlace, UploadState
from cloud.public_api.app import ROUTES
from cloud.public_api.request_ids import spelled
from tests.builders.cloud_database import NOW_MS, add_tenants, postgres_service
from tests.builders.public_api import OTHER, TENANT, ApiStage, build_stage, stage_over, user_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders.postgres import PostgresCluster, PostgresDatabase

REQUEST = bytes.fromhex("01990b3c5d707c4e9a6b2f1d8e3a7b50")
CANARY = "canary-gelato"
SHA256 = b"\xca" * 32
BODIES: dict[str, Any] = {
    "/v1/uploads": {"content_length": 1000, "sha256": "ab" * 32},
    "/v1/recommendations/{request_id}/outcome": {"lines": [{"flavour": CANARY, "quantity": 1}]},
}
CONDITION = re.compile(r"\b\w+\.tenant = (%\(\w+\)s(?:::VARCHAR)?)")


def _routes() -> list[tuple[str, str]]:
    """All there are, what ends a session last."""
    found = (
        (method, route.path)
        for module in ROUTES
        for route in module.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    )
    return sorted(found, key=lambda one: (one[1] == "/logout" or one[0] == "DELETE", one[1] == "/v1/me", one))


@dataclass
class Walk:
    """The chain that is looked for, and what it has."""

    stage: ApiStage
    postgres: PostgresDatabase | None

    def rows(self) -> dict[str, list[Any]]:
        """All that the chain has, by table."""
        with self.stage.desk.database.tenant(TENANT, read_only=True) as connection:
            return {
                table.name: sorted(
                    map(repr, connection.execute(select(table).where(table.c.tenant == TENANT)))
                )
                for table in TENANT_TABLES
                if table is not device_grants  # anybody may begin to log in, at the chain's own host
            }


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def walk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    folder: Path = tmp_path_factory.mktemp("walk")
    unlimited = {"requests_per_minute": 1_000_000, "uploads_per_minute": 1_000_000}
    with contextlib.ExitStack() as stack:
        postgres = None
        if request.param == "sqlite":
            stage = build_stage(folder, **unlimited)
        else:
            cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
            postgres = stack.enter_context(cluster.fresh_database())
            database = stack.enter_context(postgres_service(postgres))
            add_tenants(database, TENANT, OTHER)
            stage = stage_over(database, folder, **unlimited)
        _fill(stage)
        yield Walk(stage, postgres)


def _fill(stage: ApiStage) -> None:
    """Of one person of the chain: a picture that was looked at, and its recommendation."""
    user = user_of("anna")
    with stage.desk.database.tenant(TENANT) as connection:
        connection.execute(
            insert(uploads).values(
                tenant=TENANT,
                request=REQUEST,
                user=user,
                state=str(UploadState.DONE),
                purpose="recommend",
                content_type="image/jpeg",
                content_length=1000,
                sha256=SHA256,
                object_key=ObjectPlace(TENANT, REQUEST).key,
                context={"shop": CANARY},
                issued_at_ms=NOW_MS,
                expires_at_ms=NOW_MS + 60_000,
            )
        )
        connection.execute(
            insert(recommendations).values(
                tenant=TENANT,
                request=REQUEST,
                user=user,
                created_at_ms=NOW_MS,
                expires_at_ms=NOW_MS + 10**9,
                source="model",
                slate=[{"flavour": CANARY, "name": CANARY, "probability": 0.5}],
                picture_sha256=SHA256,
                latency_ms=1.0,
            )
        )


def _address(path: str) -> str:
    values = {"request_id": spelled(REQUEST), "handover": REQUEST.hex()}
    return re.sub(r"\{(\w+)[^}]*\}", lambda found: values.get(found[1], "0"), path)


def _walk(walk: Walk, client: Any) -> list[tuple[str, str, int]]:
    """Every route once; asserts that nothing of the chain is in any answer, and nothing of it has changed."""
    before, seen = walk.rows(), []
    for method, path in _routes():
        body = BODIES.get(path, {}) if method in {"POST", "PUT"} else None
        answer = client.request(method, _address(path), json=body)
        seen.append((method, path, answer.status_code))
        shown = answer.text + repr(answer.headers)
        assert answer.status_code < 500 or "#no-model" in shown, (method, path, shown)
        for secret in (CANARY, SHA256.hex(), user_of("anna").hex()):
            assert secret not in shown, (method, path)
    assert walk.rows() == before
    return seen


def _refused_or_public(seen: list[tuple[str, str, int]]) -> None:
    """Whatever asks who calls was refused."""
    asking = [(method, path) for method, path, status in seen if status == 401]
    assert ("GET", "/v1/uploads/{request_id}") in asking
    assert ("GET", "/v1/recommendations") in asking
    assert ("GET", "/v1/me/export") in asking


def test_the_same_person_of_another_chain_finds_nothing(walk: Walk) -> None:
    """T27: even with the very pseudonym of the owner, every id is unknown at the other chain's host."""
    statuses = {
        (method, path): status
        for method, path, status in _walk(walk, walk.stage.client("anna", tenant=OTHER))
    }
    for path in ("/v1/uploads/{request_id}", "/v1/recommendations/{request_id}"):
        assert statuses["GET", path] == 404


def test_a_token_of_the_chain_is_unknown_at_another_host(walk: Walk) -> None:
    """T27: nothing of the token says which chain is meant; at the other's host it is 401."""
    client = walk.stage.client(None, tenant=OTHER)
    client.headers["authorization"] = f"Bearer {walk.stage.bearer('anna', tenant=TENANT)}"
    _refused_or_public(_walk(walk, client))


def test_a_token_of_another_chain_is_unknown_here(walk: Walk) -> None:
    """T27: at the chain's own host, too."""
    client = walk.stage.client(None, tenant=TENANT)
    client.headers["authorization"] = f"Bearer {walk.stage.bearer('anna', tenant=OTHER)}"
    _refused_or_public(_walk(walk, client))


def test_nobody_finds_anything(walk: Walk) -> None:
    """T27: without any credential, with the id known."""
    _refused_or_public(_walk(walk, walk.stage.client(None)))


def test_the_owner_finds_it(walk: Walk) -> None:
    """The walk would see it: the canary stands in the owner's own answers."""
    answer = walk.stage.client("anna").get(f"/v1/recommendations/{spelled(REQUEST)}")
    assert CANARY in answer.text


def test_row_level_security_alone_holds(walk: Walk) -> None:
    """T27: with the tenant taken out of every condition, PostgreSQL still shows and changes nothing.

    Where it is switched off, too, the upload is shown: what was taken out is what protects.
    """
    if walk.postgres is None:
        pytest.skip("SQLite has no second wall; the documentation says so")
    taken_out: list[str] = []

    def without_tenant(*call: Any) -> tuple[str, Any]:
        _, _, statement, parameters, *_ = call
        bare = CONDITION.sub("TRUE", statement)
        if bare != statement:
            taken_out.append(statement)
        return bare, parameters

    engine = walk.stage.desk.database._engine
    clients = [
        walk.stage.client("anna", tenant=OTHER),
        walk.stage.client(None, tenant=OTHER),
        walk.stage.client(None, tenant=TENANT),
    ]
    clients[1].headers["authorization"] = f"Bearer {walk.stage.bearer('anna', tenant=TENANT)}"
    clients[2].headers["authorization"] = f"Bearer {walk.stage.bearer('anna', tenant=OTHER)}"
    before = walk.rows()
    event.listen(engine, "before_cursor_execute", without_tenant, retval=True)
    try:
        for client in clients:
            _walk(walk, client)
        assert any("FROM uploads" in statement for statement in taken_out)
        assert any("FROM recommendations" in statement for statement in taken_out)
        with open_database(walk.postgres.owner_url) as owner, owner.system() as connection:
            connection.execute(text("ALTER TABLE uploads DISABLE ROW LEVEL SECURITY"))
        shown = walk.stage.client("anna", tenant=OTHER).get(f"/v1/uploads/{spelled(REQUEST)}")
        assert shown.json()["sha256"] == SHA256.hex()
    finally:
        event.remove(engine, "before_cursor_execute", without_tenant)
        with open_database(walk.postgres.owner_url) as owner, owner.system() as connection:
            connection.execute(text("ALTER TABLE uploads ENABLE ROW LEVEL SECURITY"))
    assert walk.rows() == before
