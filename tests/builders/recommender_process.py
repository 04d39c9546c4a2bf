"""A database, a real bucket, a chain with a release, and `topscoop cloud recommender run` as a process."""

from __future__ import annotations

import hashlib
import sys
import urllib.error
import urllib.request
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, text

from cloud import clock
from cloud.config import S3Config
from cloud.database.schema import jobs, recommendations, uploads
from cloud.intake.values import ObjectPlace, UploadState
from cloud.jobs.queue import enqueue
from cloud.jobs.values import Queue
from cloud.objects.s3_client import s3_client
from cloud.releases.adapters.folder_files import FolderFiles
from cloud.releases.look import look
from cloud.releases.trust import trust_root
from tests.builders.cloud_database import add_tenants
from tests.builders.daemon import Daemon, ReservedPort
from tests.builders.paper_uploads import USER
from tests.builders.release_repository import ReleaseRepository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud.database.engine import Database
    from tests.builders.ceph_s3 import CephS3

TENANT = "gelateria-sole"
READY_S = 60


class RecommenderTown:
    """Everything around recommenders, which `start` runs as operators do."""

    def __init__(self, folder: Path, database: Database, server: CephS3) -> None:
        self.folder, self.database, self.server = folder, database, server
        self.bucket = f"intake-{uuid.uuid4()}"
        self.client = s3_client(
            S3Config(
                endpoint_url=server.endpoint_url, access_key=server.access_key, secret_key=server.secret_key
            )
        )
        self.client.create_bucket(Bucket=self.bucket)
        self.repository = ReleaseRepository(folder / "releases")
        self.repository.add_release(1)
        add_tenants(database, TENANT)
        trust_root(database, TENANT, self.repository.first_root, clock.now_ms(), actor="operator:ada")
        assert look(database, FolderFiles(folder / "releases"), TENANT, clock.now_ms()).listed == (1,)
        self.running: list[Daemon] = []
        self.frames = "topscoop-frames"
        """Bucket of what is kept; nothing is, unless a test makes it."""

    def start(self, name: str, **settings: int) -> Daemon:
        """One more recommender; ready when this returns."""
        port = ReservedPort()
        file = self.folder / f"{name}.toml"
        lines = [
            'environment = "development"',
            f'state_dir = "{self.folder}/state"',
            f'database_url = "{self.database.url.render_as_string(hide_password=False)}"',
            "[s3]",
            f'endpoint_url = "{self.server.endpoint_url}"',
            f'access_key = "{self.server.access_key}"',
            f'secret_key = "{self.server.secret_key}"',
            f'bucket = "{self.frames}"',
            "[master_key]",
            'kind = "file"',
            "[releases]",
            f'folder = "{self.folder}/releases"',
            "[intake]",
            f'bucket = "{self.bucket}"',
            "[recommender]",
            f"health_port = {port.number}",
            *(f"{key} = {value}" for key, value in settings.items()),
        ]
        file.write_text("\n".join(lines), "utf-8")
        command = [sys.executable, "-m", "topscoop", "cloud", "recommender", "run", "--config", str(file)]
        daemon = Daemon(name, command, self.folder / f"{name}.log")
        daemon.start()
        self.running.append(daemon)
        daemon.wait_until(lambda: _answers(f"http://127.0.0.1:{port.number}/readyz"), READY_S)
        daemon.health_port = port.number  # type: ignore[attr-defined]
        port.close()
        return daemon

    def put(self, picture: bytes) -> bytes:
        """A ticket, and its object; not yet told of."""
        request, now_ms = uuid.uuid4().bytes, clock.now_ms()
        place = ObjectPlace(TENANT, request)
        self.client.put_object(Bucket=self.bucket, Key=place.key, Body=picture, ContentType="image/jpeg")
        row = {
            "tenant": TENANT,
            "request": request,
            "user": USER,
            "state": UploadState.ISSUED.value,
            "purpose": "recommend",
            "content_type": "image/jpeg",
            "content_length": len(picture),
            "sha256": hashlib.sha256(picture).digest(),
            "object_key": place.key,
            "context": {},
            "issued_at_ms": now_ms,
            "expires_at_ms": now_ms + 60_000,
        }
        with self.database.tenant(TENANT) as connection:
            connection.execute(insert(uploads).values(row))
        return request

    def arrive(self, *requests: bytes) -> None:
        """Consume tickets and add their jobs."""
        now_ms = clock.now_ms()
        with self.database.tenant(TENANT) as connection:
            connection.execute(
                uploads.update()
                .where(uploads.c.tenant == TENANT, uploads.c.request.in_(requests))
                .values(state=UploadState.ARRIVED.value, arrived_at_ms=now_ms)
            )
            for request in requests:
                enqueue(connection, TENANT, Queue.RECOMMEND, request, now_ms)

    @contextmanager
    def no_result_can_be_written(self) -> Iterator[None]:
        """The table of recommendations is locked for the `with` block: transactions with a result wait."""
        with self.database.tenant(TENANT) as connection:
            connection.execute(text("LOCK TABLE recommendations IN SHARE MODE"))
            yield

    def count(self, table: Any, *conditions: Any) -> int:
        """Rows of the chain in this table."""
        statement = select(func.count()).select_from(table).where(table.c.tenant == TENANT, *conditions)
        with self.database.tenant(TENANT, read_only=True) as connection:
            return int(connection.execute(statement).scalar_one())

    def done(self) -> int:
        """Recommendations."""
        return self.count(recommendations)

    def leased(self) -> int:
        """Jobs in work."""
        return self.count(jobs, jobs.c.state == "leased")

    def pictures_left(self) -> int:
        """Objects in the bucket."""
        return int(self.client.list_objects_v2(Bucket=self.bucket)["KeyCount"])

    def metrics(self, daemon: Daemon) -> str:
        """What a recommender tells Prometheus."""
        url = f"http://127.0.0.1:{daemon.health_port}/metrics"  # type: ignore[attr-defined]
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())

    def close(self) -> None:
        """End all that runs."""
        for daemon in self.running:
            daemon.stop()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
