"""A chain with signed releases, an intake bucket and a recommender over them; all real but the bucket."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from cloud import clock
from cloud.database.schema import jobs, recommendations, uploads
from cloud.intake.memory_intake_store import MemoryIntakeStore
from cloud.intake.values import ObjectPlace, Purpose, UploadState
from cloud.jobs.queue import enqueue
from cloud.jobs.values import Queue
from cloud.recommender.adapters.release_models import ReleaseModels
from cloud.recommender.adapters.sql_rows import SqlRows
from cloud.recommender.recommender import READS_AT_ONCE, Recommender, Terms, World
from cloud.recommender.warm_models import WarmModels
from cloud.releases.adapters.folder_files import FolderFiles
from cloud.releases.look import look
from cloud.releases.trust import trust_root
from tests.builders.cloud_database import add_tenants
from tests.builders.paper_uploads import USER
from tests.builders.release_repository import ReleaseRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sqlalchemy import Row

    from cloud.database.engine import Database
    from cloud.jobs.values import Lease
    from cloud.recommender.ports import Decoder
    from cloud.recommender.values import Ending, Ticket

TENANT = "gelateria-sole"


class MemoryPictures(MemoryIntakeStore):
    """As `ports.Pictures`."""

    def delete_all(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.delete(key)


@dataclass
class Seen:
    """A `Watch` that remembers."""

    endings: list[Ending] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    kept: list[Lease] = field(default_factory=list)
    left_count: int = 0

    def decoded(self, seconds: float) -> None:
        """Nothing: no test looks at times."""

    def ended(self, ending: Ending, total_ms: int) -> None:
        self.endings.append(ending)

    def retried(self, lease: Lease, error: Exception, *, counts: bool) -> None:
        self.errors.append(error)

    def gave_up(self, lease: Lease, error: str) -> None:
        self.set_aside.append(error)

    def promoted(self, lease: Lease) -> None:
        self.kept.append(lease)

    def left(self, error: Exception, count: int) -> None:
        self.left_count += count


class Kept:
    """A `Promote` that remembers; `failing` is raised instead, so many times."""

    def __init__(self) -> None:
        self.pictures: list[tuple[bytes, tuple[int, ...]]] = []
        self.failing: list[Exception] = []

    def __call__(self, ticket: Ticket, picture: Any, /) -> None:
        if self.failing:
            raise self.failing.pop()
        self.pictures.append((ticket.request, picture.shape))


class RecommenderStage:
    """One chain, one recommender.

    Args:
        folder: For the repository.
        database: Set up, and empty.
        decoder: A running one.
    """

    def __init__(self, folder: Path, database: Database, decoder: Decoder) -> None:
        self.database = database
        self.repository = ReleaseRepository(folder / "store")
        self.files = FolderFiles(folder / "store")
        self.seen, self.kept = Seen(), Kept()
        self.pictures = MemoryPictures(clock.now_ms)
        self.seconds = 0.0
        releases = ReleaseModels(database, self.files)
        self.models = WarmModels(releases.look_up, releases.load, 64_000_000, lambda: self.seconds)
        self.rows = SqlRows(database, lease_ms=15_000, keep_days=30)
        self.readers = ThreadPoolExecutor(READS_AT_ONCE)
        world = World(
            self.rows,
            self.pictures,
            decoder,
            self.models,
            self.kept,
            self.seen,
            clock.now_ms,
            time.monotonic,
            lambda: 0.5,
        )
        self.recommender = Recommender(world, Terms(16, 3, 120_000), self.readers)
        self._count = 0
        add_tenants(database, TENANT)
        trust_root(database, TENANT, self.repository.first_root, clock.now_ms(), actor="operator:ada")

    def serve(self, stopping: Callable[[], bool] = lambda: False) -> int:
        """One batch, pictures deleted too."""
        count = self.recommender.serve(stopping)
        for deleting in self.recommender._deleting:
            deleting.result()
        return count

    def forget(self) -> None:
        """Begin anew: no uploads, nothing seen."""
        with self.database.tenant(TENANT) as connection:
            for table in (jobs, uploads, recommendations):
                connection.execute(delete(table).where(table.c.tenant == TENANT))
        self.seen.__init__()  # type: ignore[misc]
        self.kept.__init__()  # type: ignore[misc]
        self.pictures.delete_all([one.key for one in list(self.pictures.listed())])

    def look(self) -> None:
        """What `topscoop cloud rollouts run` does: the repository's releases come into the rows."""
        found = look(self.database, self.files, TENANT, clock.now_ms())
        assert found.problem is None, found.problem
        self.seconds += 10  # the recommender looks again

    def upload(self, picture: bytes, *, body: bytes | None = None, **columns: Any) -> bytes:
        """An upload that has arrived: ticket consumed, object in the bucket, job in the queue.

        Args:
            picture: What was announced.
            body: What lies in the bucket, if something else does.
            columns: Of `uploads`.
        """
        import hashlib

        self._count += 1
        request, now_ms = self._count.to_bytes(16), clock.now_ms()
        key = ObjectPlace(TENANT, request).key
        self.pictures.put(key, picture if body is None else body, "image/jpeg")
        row = {
            "tenant": TENANT,
            "request": request,
            "user": USER,
            "state": UploadState.ARRIVED.value,
            "purpose": Purpose.RECOMMEND.value,
            "content_type": "image/jpeg",
            "content_length": len(picture),
            "sha256": hashlib.sha256(picture).digest(),
            "object_key": key,
            "context": {},
            "issued_at_ms": now_ms,
            "expires_at_ms": now_ms + 60_000,
            "arrived_at_ms": now_ms,
        }
        with self.database.tenant(TENANT) as connection:
            connection.execute(insert(uploads).values(row | columns))
            enqueue(connection, TENANT, Queue.RECOMMEND, request, now_ms)
        return request

    def row(self, request: bytes) -> Row[Any]:
        """The upload's row."""
        return self._one(select(uploads).where(uploads.c.tenant == TENANT, uploads.c.request == request))

    def recommendation(self, request: bytes) -> Row[Any]:
        """Its recommendation's."""
        row = recommendations.c
        return self._one(select(recommendations).where(row.tenant == TENANT, row.request == request))

    def jobs(self) -> list[tuple[bytes, str]]:
        """What is left of the queue."""
        with self.database.tenant(TENANT, read_only=True) as connection:
            found = connection.execute(select(jobs.c.job, jobs.c.state).where(jobs.c.tenant == TENANT))
            return [(bytes(job), state) for job, state in found]

    def close(self) -> None:
        """End its threads."""
        self.readers.shutdown()

    def _one(self, statement: Any) -> Row[Any]:
        with self.database.tenant(TENANT, read_only=True) as connection:
            return connection.execute(statement).one()
