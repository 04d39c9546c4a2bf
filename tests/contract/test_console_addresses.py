"""Whatever stands in an address, the console answers with a page, over both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from sqlalchemy import insert

from cloud.database.audit_log import write_audit
from cloud.database.schema import registers
from cloud.principal import Role
from tests.builders.cloud_database import NOW_MS, add_tenants, postgres_service, sqlite_database
from tests.builders.console_stage import TENANT, ConsoleStage, stage_over

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud.database.engine import Database
    from tests.builders.postgres import PostgresCluster

HOSTILE = (
    "\0",
    "%",
    "'; DROP TABLE audit; --",
    "<script>alert(1)</script>",
    "-1",
    "2147483648",
    "9999999999",
    "99999999999999999999999",
    "²",
    "\N{MATHEMATICAL BOLD DIGIT NINE}",
    "\ud7ff\U0010ffff",
    "../../etc/passwd",
    "W10",  # base64 of []
    "W251bGwsIG51bGxd",  # base64 of [null, null]
    "0001-01-01",
    "9999-12-31",
    "ff" * 16,
    "x" * 3000,
)
PLACES = (
    *("/fleet/{}", "/fleet/{}/charts/latency.svg", "/fleet/till-1/charts/{}.svg"),
    *("/rollouts/{}", "/rollouts/{}/charts/states.svg", "/releases/{}", "/audit/{}"),
    *("/static/{}/console.css", "/login?goal={}", "/live?page=/rollouts/{}", "/live?page=/fleet/{}"),
    *(f"/fleet?{name}={{}}" for name in ("q", "store", "state", "release", "attention", "sort")),
    *("/fleet?after={}", "/fleet?sort=p99&before={}", "/fleet.csv?release={}"),
    *(f"/audit?{name}={{}}" for name in ("actor", "action", "subject", "since", "until", "before")),
    *(f"/rollouts/new?{name}={{}}" for name in ("release", "step", "stage", "share", "hold", "from")),
)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleStage]:
    folder = tmp_path_factory.mktemp("addresses")
    if request.param == "postgres":
        cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
        with cluster.fresh_database() as made, postgres_service(made) as opened:
            yield _stage(opened, folder)
    else:
        with sqlite_database(folder) as opened:
            yield _stage(opened, folder)


def _stage(database: Database, folder: Path) -> ConsoleStage:
    add_tenants(database, TENANT)
    with database.tenant(TENANT) as connection:
        connection.execute(
            insert(registers).values(
                tenant=TENANT, register="till-1", store="harbour", state="enrolled", created_at_ms=0
            )
        )
        write_audit(connection, TENANT, NOW_MS, actor="test", action="a", subject="b")
    made = stage_over(database, folder)
    made.desk.live.stop()  # a stream ends after its first line
    return made


@pytest.mark.parametrize("place", PLACES)
def test_no_address_breaks_a_page(stage: ConsoleStage, place: str) -> None:
    """T24: an answer of 500 would be a defect; nothing of what was typed comes back as markup."""
    client = stage.client(Role.OPERATOR)
    for hostile in HOSTILE:
        answer = client.get(place.format(quote(hostile, safe="")))
        assert answer.status_code < 500, (hostile, answer.text)
        assert "<script>alert" not in answer.text
