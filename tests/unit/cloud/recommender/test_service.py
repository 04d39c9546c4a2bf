"""The parts put together, as the demo runs them: on SQLite, within one process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cloud.config import CloudConfig, ReleasesConfig
from cloud.intake.values import UploadState
from cloud.jobs.values import Backlog
from cloud.recommender.adapters.metrics import RecommenderMetrics
from cloud.recommender.service import build_recommender
from inference.picture import STRICT, PictureDecoder
from tests.builders import hostile_pictures as hostile
from tests.builders.cloud_database import sqlite_database
from tests.builders.collector_stack import wait_for
from tests.builders.recommender_stage import TENANT, RecommenderStage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WITHIN_S = 60


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[RecommenderStage]:
    with sqlite_database(tmp_path) as database:
        made = RecommenderStage(tmp_path, database, PictureDecoder(STRICT))
        made.repository.add_release(1)
        made.look()
        yield made
        made.close()


def test_it_finds_jobs_by_itself_and_ends_what_it_began(stage: RecommenderStage, tmp_path: Path) -> None:
    """No notification, no bell: a look every 25 ms finds the job; cancelled, it leaves no lease behind."""
    config = CloudConfig(state_dir=tmp_path, releases=ReleasesConfig(folder=tmp_path / "store"))
    metrics = RecommenderMetrics()
    requests: list[bytes] = []

    def is_over(request: bytes) -> bool:
        return stage.row(request).deleted_at_ms is not None

    async def run() -> None:
        with build_recommender(config, stage.database, metrics, stage.kept, stage.pictures) as recommender:
            works = [asyncio.create_task(work()) for work in recommender.works.values()]
            requests.append(await asyncio.to_thread(stage.upload, hostile.jpeg()))
            await asyncio.to_thread(wait_for, lambda: is_over(requests[0]), "it looks by itself", WITHIN_S)
            requests.append(await asyncio.to_thread(stage.upload, hostile.png()))
            recommender.ring()
            await asyncio.to_thread(wait_for, lambda: is_over(requests[1]), "it was rung for", WITHIN_S)
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)
            assert all(work.cancelled() for work in works)

    asyncio.run(run())
    assert [stage.row(request).state for request in requests] == [UploadState.DONE, UploadState.FAILED]
    assert stage.jobs() == []
    registry = metrics.registry
    assert registry.get_sample_value("topscoop_recommender_decode_seconds_count") == 2
    assert registry.get_sample_value("topscoop_recommender_ended_total", {"end": "bad-picture"}) == 1
    reason = {"reason": "unknown-format"}
    assert registry.get_sample_value("topscoop_recommender_refused_pictures_total", reason) == 1
    assert registry.get_sample_value("topscoop_recommender_models") == 1


def test_the_backlog_is_shown_by_tenant_and_forgotten_with_it() -> None:
    metrics = RecommenderMetrics()
    metrics.backlog([Backlog(TENANT, 3, 1, 2_500)])
    value = metrics.registry.get_sample_value
    labels = {"tenant": TENANT}
    assert value("topscoop_recommender_waiting", labels) == 3
    assert value("topscoop_recommender_dead", labels) == 1
    assert value("topscoop_recommender_oldest_seconds", labels) == 2.5
    metrics.backlog([])
    assert value("topscoop_recommender_waiting", labels) is None
