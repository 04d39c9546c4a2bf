"""Recommenders as processes, over PostgreSQL and a real S3 server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cloud.database.schema import jobs, uploads
from tests.builders import hostile_pictures as hostile
from tests.builders.cloud_database import postgres_service
from tests.builders.collector_stack import wait_for
from tests.builders.recommender_process import RecommenderTown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders.ceph_s3 import CephS3
    from tests.builders.postgres import PostgresDatabase

pytestmark = pytest.mark.service

PHOTO = hostile.jpeg(hostile.photo(640, 480))
WITHIN_S = 120


@pytest.fixture
def town(tmp_path: Path, postgres_database: PostgresDatabase, real_s3: CephS3) -> Iterator[RecommenderTown]:
    with postgres_service(postgres_database) as database:
        town = RecommenderTown(tmp_path, database, real_s3)
        yield town
        town.close()


def test_a_killed_recommenders_work_is_taken_over(town: RecommenderTown) -> None:
    """T19: `kill -9` amid a batch; another one takes the leases over: each upload has one recommendation."""
    requests = [town.put(PHOTO) for _ in range(15)]
    bad = town.put(PHOTO[:-200])
    killed = town.start("killed", lease_s=2)
    with town.no_result_can_be_written():
        town.arrive(*requests, bad)
        wait_for(lambda: town.leased() == 16, "a batch is in work", WITHIN_S)
        killed.kill()
    assert town.done() == 0
    town.start("heir", lease_s=2)
    wait_for(lambda: town.count(jobs) == 0 and town.pictures_left() == 0, "all are taken over", WITHIN_S)
    assert town.done() == len(requests)
    assert town.count(uploads, uploads.c.state == "done") == len(requests)
    assert town.count(uploads, uploads.c.problem == "bad-picture") == 1


def test_it_answers_stops_in_order_and_tells_how_it_was(town: RecommenderTown) -> None:
    """A notification wakes it; metrics tell jobs by their end, times and models; SIGTERM leaves no lease."""
    recommender = town.start("one")
    requests = [town.put(PHOTO) for _ in range(3)]
    town.arrive(*requests)
    wait_for(lambda: town.done() == 3 and town.pictures_left() == 0, "three recommendations", WITHIN_S)
    told = town.metrics(recommender)
    assert 'topscoop_recommender_ended_total{end="model"}' in told or 'end="bestsellers"' in told
    for name in ("decode", "inference", "total"):
        assert f"topscoop_recommender_{name}_seconds_count 3.0" in told
    assert "topscoop_recommender_models 1.0" in told
    assert re.search(r"topscoop_recommender_models_bytes [1-9]", told)
    recommender.stop()
    log = recommender.log.read_bytes()
    assert b"recommender.ended" in log
    assert b"\xff\xd8\xff" not in log
    town.arrive(town.put(PHOTO))
    assert town.leased() == 0
