"""The public API over a database of its own, in process: two chains, and callers with sessions."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy import insert
from starlette.testclient import TestClient

from cloud.config import CloudConfig, PublicApiConfig, S3Config
from cloud.database.engine import open_database
from cloud.database.schema import api_sessions
from cloud.database.schema_version import CLOUD
from cloud.intake.adapters.s3_url_signer import S3UrlSigner
from cloud.intake.memory_intake_store import MemoryIntakeStore
from cloud.objects.memory_store import MemoryStore
from cloud.public_api.app import build_app
from cloud.public_api.caller import CallerKind
from cloud.public_api.composition import build_desk
from tests.builders.cloud_database import NOW_MS, add_tenants, sqlite_database

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp

    from cloud.database.engine import Database
    from cloud.public_api.desk import Desk

TENANT = "gelateria-sole"
OTHER = "eisdiele-nord"
PUBLIC_URL = "https://{tenant}.api.example"
HOUR_MS = 3_600_000
S3_CONFIG = S3Config(endpoint_url="https://s3.example", access_key="key", secret_key="secret")


def user_of(name: str) -> bytes:
    """A pseudonym for a person of a test."""
    return hashlib.sha256(name.encode()).digest()


@dataclass
class ApiStage:
    """The API, its database, and callers.

    Args:
        desk: What the routes share; build the app again after changing it, see `rebuild`.
        store: The intake bucket; `put` does what a client's PUT does.
        clock: The time as the API has it: `[now_ms]`; a test may move it.
    """

    desk: Desk
    app: ASGIApp
    store: MemoryIntakeStore
    clock: list[int] = field(default_factory=lambda: [NOW_MS])

    def rebuild(self, desk: Desk) -> None:
        """Serve another desk, such as `dataclasses.replace(stage.desk, …)`."""
        self.desk = desk
        self.app = build_app(desk)

    def bearer(
        self, name: str = "anna", *, tenant: str = TENANT, kind: CallerKind = CallerKind.DEVICE
    ) -> str:
        """A token of this person's, as a device grant makes it; a new one each time."""
        secret = secrets.token_urlsafe(32)
        with self.desk.database.tenant(tenant) as connection:
            connection.execute(
                insert(api_sessions).values(
                    tenant=tenant,
                    session=hashlib.sha256(secret.encode()).digest(),
                    kind=str(kind),
                    user=user_of(name),
                    created_at_ms=self.clock[0],
                    seen_at_ms=self.clock[0],
                    ends_at_ms=self.clock[0] + HOUR_MS,
                )
            )
        return secret

    def async_client(self, name: str | None = "anna", *, tenant: str = TENANT) -> httpx.AsyncClient:
        """As `client`, for many requests at once: all of them in the loop of the test, as in the service."""
        made = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app), base_url=self.desk.origin(tenant), timeout=30
        )
        if name is not None:
            made.headers["authorization"] = f"Bearer {self.bearer(name, tenant=tenant)}"
        return made

    def client(self, name: str | None = "anna", *, tenant: str = TENANT) -> TestClient:
        """A client with a bearer token of this person's, at this chain's host; None: without any.

        One request at a time: each has an event loop of its own.
        """
        made = TestClient(self.app, base_url=self.desk.origin(tenant), follow_redirects=False)
        if name is not None:
            made.headers["authorization"] = f"Bearer {self.bearer(name, tenant=tenant)}"
        return made


def build_stage(folder: Path, *tenants: str, **public_api: Any) -> ApiStage:
    """The API over a fresh SQLite database; keywords are keys of `public_api`."""
    database = _fresh_database(folder)
    add_tenants(database, *(tenants or (TENANT, OTHER)))
    return stage_over(database, folder, **public_api)


def stage_over(database: Database, folder: Path, **public_api: Any) -> ApiStage:
    """The API over a database that has its chains."""
    config = CloudConfig(
        environment="development",
        state_dir=folder,
        s3=S3_CONFIG,
        public_api=PublicApiConfig(**({"public_url": PUBLIC_URL} | public_api)),
    )
    clock = [NOW_MS]
    store = MemoryIntakeStore(lambda: clock[0])
    desk = build_desk(
        config,
        database,
        lambda: clock[0],
        signer=_signer(),
        store=store,
        frames=MemoryStore(lambda: clock[0]),
    )
    return ApiStage(desk, build_app(desk), store, clock)


@cache
def _signer() -> S3UrlSigner:
    """Signs for a server that is not there; making boto3's client takes longer than most tests."""
    return S3UrlSigner.open(CloudConfig(s3=S3_CONFIG))


_migrated: dict[str, bytes] = {}


def _fresh_database(folder: Path) -> Database:
    """A set-up database; the migrations run once a process, after that it is a copy of the file."""
    file = folder / f"{CLOUD.name}.sqlite3"
    if not _migrated:
        with sqlite_database(folder) as made:
            made.scrub()
        _migrated["file"] = file.read_bytes()
    file.write_bytes(_migrated["file"])
    return open_database(f"sqlite:///{file}")
