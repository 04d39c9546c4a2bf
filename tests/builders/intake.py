"""Tickets of uploads as `POST /v1/uploads` writes them, and what tests look at afterwards."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from cloud.config import CloudConfig, IntakeConfig, S3Config
from cloud.database.schema import jobs, uploads
from cloud.intake.signed_urls import Announced
from cloud.intake.values import CONTENT_TYPE, ObjectPlace, UploadState
from tests.builders.cloud_database import NOW_MS

if TYPE_CHECKING:
    from pathlib import Path

    from cloud.database.engine import Database
    from cloud.intake.arrivals import Arrived, Source
    from cloud.intake.events import Heard
    from cloud.intake.look import Looked
    from wire_protocol.errors import TopscoopError

BODY = b"\xff\xd8 not read by anybody \xff\xd9"
TICKET_MS = 60_000


def announced(body: bytes = BODY) -> Announced:
    """What an honest client announces."""
    return Announced(CONTENT_TYPE, len(body), hashlib.sha256(body).digest())


def issue(
    database: Database,
    tenant: str,
    body: bytes = BODY,
    *,
    now_ms: int = NOW_MS,
    state: UploadState = UploadState.ISSUED,
    **changes: Any,
) -> ObjectPlace:
    """Write a ticket."""
    place = ObjectPlace(tenant, uuid.uuid4().bytes)
    row = {
        "tenant": tenant,
        "request": place.request,
        "user": bytes(32),
        "state": state.value,
        "purpose": "recommend",
        "content_type": CONTENT_TYPE,
        "content_length": len(body),
        "sha256": hashlib.sha256(body).digest(),
        "object_key": place.key,
        "context": {},
        "issued_at_ms": now_ms,
        "expires_at_ms": now_ms + TICKET_MS,
    }
    with database.tenant(tenant) as connection:
        connection.execute(insert(uploads).values({**row, **changes}))
    return place


def clear(database: Database, *tenants: str) -> None:
    """Take away what other tests issued."""
    for tenant in tenants:
        with database.tenant(tenant) as connection:
            for table in (jobs, uploads):
                connection.execute(delete(table).where(table.c.tenant == tenant))


@dataclass(frozen=True)
class UploadRow:
    """What became of an upload."""

    state: UploadState
    problem: str | None
    deleted: bool
    jobs: int


def row_of(database: Database, place: ObjectPlace) -> UploadRow:
    """The upload's row, and how many jobs wait for it."""
    with database.tenant(place.tenant, read_only=True) as connection:
        row = connection.execute(
            select(uploads).where(uploads.c.tenant == place.tenant, uploads.c.request == place.request)
        ).one()
        waiting = connection.execute(
            select(jobs.c.job).where(jobs.c.tenant == place.tenant, jobs.c.job == place.request)
        ).all()
    return UploadRow(UploadState(row.state), row.problem, row.deleted_at_ms is not None, len(waiting))


def intake_config(s3: S3Config, folder: Path, **intake: Any) -> CloudConfig:
    """Of a development cloud with a bucket of its own."""
    return CloudConfig(
        environment="development",
        state_dir=folder,
        s3=s3,
        intake=IntakeConfig(
            **{"bucket": f"intake-{uuid.uuid4()}", "port": 0, "health_port": 0, "reconcile_every_s": 0.2}
            | intake
        ),
    )


class CountingWatch:
    """What intake's parts tell, kept for a test."""

    def __init__(self) -> None:
        self.arrivals: Counter[tuple[str, str]] = Counter()
        self.places = 0
        self.garbage_seen = 0
        self.strangers = 0
        self.failures: list[TopscoopError] = []
        self.durable = 0
        self.looks: list[Looked] = []
        self.forgotten: list[int] = []

    def heard(self, source: Source, arrived: Arrived) -> None:
        self.arrivals[source.value, arrived.value] += 1

    def told(self, source: Source, heard: Heard) -> None:
        del source
        self.places += len(heard.places)

    def garbage(self, source: Source) -> None:
        del source
        self.garbage_seen += 1

    def stranger(self) -> None:
        self.strangers += 1

    def worked(self, source: Source) -> None:
        del source
        self.durable += 1

    def failed(self, source: Source, error: TopscoopError) -> None:
        del source
        self.failures.append(error)

    def looked(self, looked: Looked) -> None:
        self.looks.append(looked)

    def look_failed(self, error: TopscoopError) -> None:
        self.failures.append(error)

    def forgot(self, count: int) -> None:
        self.forgotten.append(count)

    def forget_failed(self, error: TopscoopError) -> None:
        self.failures.append(error)
