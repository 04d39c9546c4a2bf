"""The parts of the process, put together within a test's own."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from cloud.clock import now_ms
from cloud.config import CloudConfig, S3Config
from cloud.database.schema import uploads
from cloud.intake.adapters.metrics import IntakeWatch
from cloud.intake.memory_intake_store import MemoryIntakeStore
from cloud.intake.service import build_intake, forget
from cloud.intake.values import CONTENT_TYPE, UploadState
from tests.builders.cloud_database import add_tenants, sqlite_database
from tests.builders.collector_stack import wait_for
from tests.builders.intake import BODY, intake_config, issue, row_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud.database.engine import Database

A, B = "apfelstrudel", "brioche"
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with sqlite_database(tmp_path) as database:
        add_tenants(database, A, B)
        yield database


@pytest.fixture
def config(tmp_path: Path) -> CloudConfig:
    return intake_config(
        S3Config(endpoint_url="http://127.0.0.1:1", access_key="a", secret_key="b"), tmp_path
    )


def test_what_is_not_configured_does_not_run(config: CloudConfig, database: Database) -> None:
    """Without a token no port is opened, without a queue nobody asks one; looks are always taken."""
    store = MemoryIntakeStore(now_ms)
    with build_intake(config, database, IntakeWatch(), store) as intake:
        assert (set(intake.works), intake.webhook_port) == ({"look", "forget"}, None)
    all_of_it = replace(
        config, intake=replace(config.intake, webhook_token="t", queue_url="http://127.0.0.1:1/q")
    )
    with build_intake(all_of_it, database, IntakeWatch(), store) as intake:
        assert set(intake.works) == {"look", "forget", "queue", "webhook"}
        assert intake.webhook_port is not None


async def test_an_upload_without_an_event_is_found(config: CloudConfig, database: Database) -> None:
    """With nothing but looks, and the webhook beside them ends when it is told to."""
    config = replace(config, intake=replace(config.intake, webhook_token="t"))
    store, watch = MemoryIntakeStore(lambda: now_ms() - 5000), IntakeWatch()
    place = issue(database, A, now_ms=now_ms())
    store.put(place.key, BODY, CONTENT_TYPE)
    store._now_ms = now_ms
    with build_intake(config, database, watch, store) as intake:
        tasks = [asyncio.create_task(work(), name=name) for name, work in intake.works.items()]
        await asyncio.to_thread(wait_for, lambda: row_of(database, place).jobs == 1, "it is found")
        await asyncio.to_thread(wait_for, watch.health.ready, "a look went well")
        for task in tasks:
            task.cancel()
        done, _ = await asyncio.wait(tasks)
    assert all(task.cancelled() for task in done)
    assert row_of(database, place).state is UploadState.ARRIVED


def test_everything_that_is_over_is_forgotten(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much it is, in short transactions, chain by chain."""
    monkeypatch.setattr("cloud.intake.service.BATCH", 2)
    for _ in range(5):
        issue(database, A, now_ms=now_ms() - 3 * DAY_MS, state=UploadState.EXPIRED)
    issue(database, B, now_ms=now_ms() - 3 * DAY_MS, state=UploadState.EXPIRED)
    assert forget(database, A, now_ms()) == 5
    assert forget(database, A, now_ms()) == 0
    with database.tenant(B, read_only=True) as connection:
        assert connection.execute(select(func.count()).select_from(uploads)).scalar() == 1
