"""`topscoop cloud jobs …` over a database with one poison upload."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from cloud.clock import now_ms
from cloud.database.schema import audit, uploads
from cloud.intake.values import ObjectPlace, UploadProblem, UploadState
from cloud.jobs.queue import enqueue
from cloud.jobs.values import Queue
from cloud.recommender.adapters.sql_rows import SqlRows
from tests.builders.cloud_cli import cloud, cloud_json
from tests.builders.cloud_database import add_tenants, sqlite_database
from tests.builders.intake import issue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TENANT = "brioche"


class Stage:
    """An upload whose job was set aside."""

    def __init__(self, folder: Path) -> None:
        self.database = sqlite_database(folder)
        add_tenants(self.database, TENANT)
        self.rows = SqlRows(self.database, lease_ms=60_000, keep_days=1)
        self.config = folder / "cloud.toml"
        self.config.write_text(f'database_url = "sqlite:///{folder}/cloud.sqlite3"\n')
        self.place = self.arrived()
        (leased,) = self.rows.lease(1)
        self.rows.give_up(leased.lease, "ValueError: a defect", now_ms())
        self.words = ("--tenant", TENANT, "--config", self.config)

    def arrived(self) -> ObjectPlace:
        place = issue(self.database, TENANT, state=UploadState.ARRIVED, arrived_at_ms=now_ms())
        with self.database.tenant(TENANT) as connection:
            enqueue(connection, TENANT, Queue.RECOMMEND, place.request, now_ms())
        return place

    @property
    def job(self) -> str:
        return self.place.request.hex()

    def upload(self, place: ObjectPlace | None = None) -> tuple[str, str | None]:
        request = (place or self.place).request
        statement = select(uploads.c.state, uploads.c.problem).where(
            uploads.c.tenant == TENANT, uploads.c.request == request
        )
        with self.database.tenant(TENANT, read_only=True) as connection:
            state, problem = connection.execute(statement).one()
        return state, problem

    def audited(self) -> list[tuple[str, str]]:
        statement = select(audit.c.action, audit.c.subject).where(audit.c.tenant == TENANT)
        with self.database.tenant(TENANT, read_only=True) as connection:
            return [(action, subject) for action, subject in connection.execute(statement)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.database.close()


def test_what_was_set_aside_is_listed_and_shown(stage: Stage) -> None:
    """T19: operators see what stands aside, and why."""
    waiting = stage.arrived()
    assert [job["job"] for job in cloud_json("jobs", "list", *stage.words)] == [
        stage.job,
        waiting.request.hex(),
    ]
    (dead,) = cloud_json("jobs", "list", "--dead", *stage.words)
    assert (dead["state"], dead["error"], dead["ready_at_ms"]) == ("dead", "ValueError: a defect", None)
    shown = cloud_json("jobs", "show", uuid.UUID(stage.job), *stage.words)
    assert shown["upload"]["problem"] == UploadProblem.REPEATEDLY_FAILED
    status, out, _ = cloud("jobs", "show", stage.job, *stage.words)
    assert status == 0
    assert "repeatedly-failed" in out
    assert "ValueError" in cloud("jobs", "list", *stage.words)[1]


def test_a_retried_one_is_open_again_and_leased_at_once(stage: Stage) -> None:
    cloud_json("jobs", "retry", stage.job, *stage.words)
    assert stage.upload() == (UploadState.ARRIVED, None)
    (leased,) = stage.rows.lease(9)
    assert (leased.lease.job, leased.lease.attempt) == (stage.place.request, 1)
    assert stage.audited() == [("job.retried", stage.job)]


def test_nothing_is_retried_without_its_picture(stage: Stage) -> None:
    stage.rows.deleted(TENANT, [stage.place.request], now_ms())
    status, _, err = cloud("jobs", "retry", stage.job, *stage.words)
    assert status != 0
    assert "jobs drop" in err
    assert stage.upload() == (UploadState.FAILED, UploadProblem.REPEATEDLY_FAILED)
    assert stage.audited() == []


def test_a_dropped_one_is_gone_and_its_upload_has_an_end(stage: Stage) -> None:
    waiting = stage.arrived()
    for place in (stage.place, waiting):
        assert cloud("jobs", "drop", place.request.hex(), *stage.words)[0] == 0
        assert stage.upload(place) == (UploadState.FAILED, UploadProblem.REPEATEDLY_FAILED)
    assert cloud_json("jobs", "list", *stage.words) == []
    assert cloud("jobs", "list", *stage.words)[1] == "nothing waits\n"
    assert [action for action, _ in stage.audited()] == ["job.dropped", "job.dropped"]


def test_nobody_takes_a_job_out_of_a_workers_hands(stage: Stage) -> None:
    place = stage.arrived()
    assert [leased.lease.job for leased in stage.rows.lease(9)] == [place.request]
    for verb in ("retry", "drop"):
        status, _, err = cloud("jobs", verb, place.request.hex(), *stage.words)
        assert status != 0
        assert "works on" in err
    assert stage.upload(place) == (UploadState.ARRIVED, None)


def test_an_unknown_job_is_told(stage: Stage) -> None:
    status, _, err = cloud("jobs", "show", "0" * 32, *stage.words)
    assert status != 0
    assert "jobs list" in err
