"""The public API's services as in production: PostgreSQL, an S3 server, signed releases, processes."""

import contextlib
import dataclasses
import hashlib
import json
import secrets
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from subprocess import Popen
from typing import Any, Self

from sqlalchemy import func, insert, select

from benchmarks.processes import running, wait_until
from benchmarks.setting import ROOT, NotRunError
from cloud.config import CloudConfig, IntakeConfig, PublicApiConfig, S3Config
from cloud.database.engine import Database, open_database
from cloud.database.schema import api_sessions, jobs, uploads
from cloud.database.schema_version import CLOUD
from cloud.intake.set_up import prepare_intake
from cloud.intake.values import ObjectPlace, UploadState
from cloud.jobs.queue import enqueue
from cloud.jobs.values import Queue
from cloud.objects.s3_client import s3_client
from cloud.operations.setup import prepare_database
from cloud.public_api.caller import CallerKind
from cloud.public_api.cookies import session_of
from cloud.releases.adapters.folder_files import FolderFiles
from cloud.releases.look import look
from cloud.releases.trust import trust_root
from tests.builders.cloud_database import add_tenants, service_url
from tests.builders.daemon import ReservedPort
from tests.builders.postgres import PostgresCluster
from tests.builders.release_repository import ModelFiles, ReleaseRepository, chain_model
from wire_protocol.identifiers import uuid7

_START_TIMEOUT_S = 90.0
_DAY_MS = 86_400_000
_NOWHERE = S3Config(endpoint_url="http://127.0.0.1:9", access_key="bench", secret_key="bench-secret")
SERVICES = ("api", "intake", "recommender")


class ApiStack:
    """A database, chains with a release each, and services; runs inside a `with` block.

    Args:
        folder: Does not exist yet.
        tenants: The chains; each has the same network, with bytes of its own.
        model: Whose network: a chain of `models/`.
        s3: The store; without one, none of the services may need it.
        tables: Further keys of the configuration, by table.
    """

    def __init__(
        self,
        folder: Path,
        tenants: Sequence[str],
        model: str,
        s3: S3Config | None = None,
        **tables: Mapping[str, Any],
    ) -> None:
        self.folder = folder
        self.tenants = tuple(tenants)
        self._model = model
        self._has_store = s3 is not None
        self._tables: dict[str, Mapping[str, Any]] = dict(tables)
        self._parts = contextlib.ExitStack()
        self._started = 0
        self.s3 = s3 or _NOWHERE
        self.bucket = f"intake-{uuid.uuid4()}"

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opened:
            self.folder.mkdir()
            (self.folder / "state").mkdir(mode=0o700)
            self.cluster = opened.enter_context(PostgresCluster())
            made = opened.enter_context(self.cluster.fresh_database())
            self._url = service_url(made)
            prepare_database(self._url, made.owner_url, CLOUD)
            self.database: Database = opened.enter_context(open_database(self._url))
            self._ports = {
                name: opened.enter_context(ReservedPort()).number
                for name in ("api", "webhook", *(f"{one} health" for one in SERVICES))
            }
            add_tenants(self.database, *self.tenants)
            for tenant in self.tenants:
                self._release(tenant)
            if self._has_store:
                prepare_intake(self._config())
            self._parts = opened.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._parts.close()

    def configure(self, **tables: Mapping[str, Any]) -> None:
        """More keys of the configuration, for the bucket now and for services from their next start on."""
        self._tables = {**self._tables, **tables}
        prepare_intake(self._config())

    # ---- services --------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def service(self, name: str, *, notes: Path | None = None) -> Iterator["Popen[bytes]"]:
        """`topscoop cloud NAME run`, ready; with `notes`, it notes what its parts took there."""
        self._started += 1
        log = self.folder / f"{name}-{self._started}.log"
        config = self.folder / "cloud.toml"
        config.write_text(self._configuration(), encoding="utf-8")
        command = [sys.executable, "-m", "topscoop", "cloud", name, "run", "--config", str(config)]
        if notes is not None:
            command[2:3] = ["benchmarks.timed_service", str(notes)]
        health = self._ports[f"{name} health"]
        with running(command, log=log, cwd=ROOT) as process:
            wait_until(
                lambda: _is_ready(health), process=process, log=log, timeout_s=_START_TIMEOUT_S, what=name
            )
            yield process

    def host(self, tenant: str) -> str:
        """As a chain's clients name it."""
        return f"{tenant}.localhost:{self._ports['api']}"

    @property
    def api_port(self) -> int:
        """Of loopback."""
        return self._ports["api"]

    # ---- who calls, and what waits ---------------------------------------------------------------------

    def bearer(self, tenant: str, person: str) -> str:
        """A token of this person's, as a device grant makes it."""
        secret, now_ms = secrets.token_urlsafe(32), _now_ms()
        with self.database.tenant(tenant) as connection:
            connection.execute(
                insert(api_sessions).values(
                    tenant=tenant,
                    session=session_of(secret),
                    kind=str(CallerKind.DEVICE),
                    user=hashlib.sha256(person.encode()).digest(),
                    created_at_ms=now_ms,
                    seen_at_ms=now_ms,
                    ends_at_ms=now_ms + _DAY_MS,
                )
            )
        return secret

    def fill(self, tenant: str, pictures: Sequence[bytes], count: int) -> list[bytes]:
        """`count` uploads that have arrived, and whose jobs wait from the end of this call on."""
        now_ms = _now_ms()
        requests = [uuid7(now_ms, secrets.token_bytes(10)).bytes for _ in range(count)]
        client = s3_client(replace(self.s3, bucket=self.bucket))

        def put(number: int) -> dict[str, Any]:
            picture, place = pictures[number % len(pictures)], ObjectPlace(tenant, requests[number])
            client.put_object(Bucket=self.bucket, Key=place.key, Body=picture, ContentType="image/jpeg")
            return {
                "tenant": tenant,
                "request": place.request,
                "user": bytes(32),
                "state": UploadState.ARRIVED.value,
                "purpose": "recommend",
                "content_type": "image/jpeg",
                "content_length": len(picture),
                "sha256": hashlib.sha256(picture).digest(),
                "object_key": place.key,
                "context": {"hour": 15.5, "temperature_c": 24},
                "issued_at_ms": now_ms,
                "expires_at_ms": now_ms + 60_000,
                "arrived_at_ms": now_ms,
            }

        with ThreadPoolExecutor(8) as threads:
            rows = list(threads.map(put, range(count)))
        client.close()
        with self.database.tenant(tenant) as connection:
            connection.execute(insert(uploads), rows)
            for request in requests:
                enqueue(connection, tenant, Queue.RECOMMEND, request, now_ms)
        return requests

    def waiting(self, tenant: str) -> int:
        """Jobs that have not ended."""
        return self._count(tenant, select(func.count()).select_from(jobs).where(jobs.c.tenant == tenant))

    def undeleted(self, tenant: str) -> int:
        """Uploads whose picture is not known to be gone."""
        row = uploads.c
        return self._count(
            tenant,
            select(func.count())
            .select_from(uploads)
            .where(row.tenant == tenant, row.state == "done", row.deleted_at_ms.is_(None)),
        )

    # ---- inner -----------------------------------------------------------------------------------------

    def _count(self, tenant: str, statement: Any) -> int:
        with self.database.tenant(tenant, read_only=True) as connection:
            return int(connection.execute(statement).scalar_one())

    def _release(self, tenant: str) -> None:
        repository = ReleaseRepository(self.folder / "releases", tenant)
        made = chain_model(self._model).noted(f"of {tenant}")
        manifest = replace(made.manifest, tenant=tenant)
        files = ModelFiles(made.network, manifest, made.golden, made.report)
        repository.add_release(1, files=files, note=None)
        trust_root(self.database, tenant, repository.first_root, _now_ms(), actor="benchmark")
        seen = look(self.database, FolderFiles(self.folder / "releases"), tenant, _now_ms())
        assert seen.listed == (1,), seen

    def _config(self) -> CloudConfig:
        """What set-up is told."""
        tables = self._all_tables()
        return CloudConfig(
            environment="development",
            state_dir=self.folder / "state",
            database_url=self._url,
            s3=self.s3,
            intake=IntakeConfig(**tables["intake"]),
            public_api=PublicApiConfig(**tables["public_api"]),
        )

    def _all_tables(self) -> dict[str, dict[str, Any]]:
        given = {name: value for name, value in dataclasses.asdict(self.s3).items() if value is not None}
        port = self._ports
        tables: dict[str, dict[str, Any]] = {
            "s3": {name: given[name] for name in ("endpoint_url", "access_key", "secret_key")},
            "master_key": {"kind": "file"},
            "releases": {"folder": str(self.folder / "releases")},
            "intake": {
                "bucket": self.bucket,
                "port": port["webhook"],
                "health_port": port["intake health"],
            },
            "public_api": {
                "port": port["api"],
                "public_url": f"http://{{tenant}}.localhost:{port['api']}",
                "health_port": port["api health"],
            },
            "recommender": {"health_port": port["recommender health"]},
            "log": {"format": "json"},
        }
        for name, values in self._tables.items():
            tables[name] |= {
                key: value.replace("{webhook}", str(port["webhook"])) if isinstance(value, str) else value
                for key, value in values.items()
            }
        return tables

    def _configuration(self) -> str:
        lines = [
            'environment = "development"',
            f"state_dir = {json.dumps(str(self.folder / 'state'))}",
            f"database_url = {json.dumps(self._url)}",
        ]
        for name, values in self._all_tables().items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
        return "\n".join(lines) + "\n"


def need_postgres() -> None:
    """Raise NotRunError where PostgreSQL's server is not installed."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        raise NotRunError("PostgreSQL is missing; `tests/install-services` as root installs it")


def _is_ready(port: int) -> bool | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return True if answer.status == 200 else None
    except OSError:
        return None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
