"""The console over a database of its own, without an identity provider: who logs in is said by the test."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.testclient import TestClient

from cloud.config import CloudConfig, ConsoleConfig
from cloud.console.adapters.operators import Operator, put_operator
from cloud.console.adapters.sessions import Sessions
from cloud.console.app import build_app
from cloud.console.desk import Desk
from cloud.console.live_hub import LiveHub
from cloud.database.engine import open_database
from cloud.database.schema_version import CLOUD
from cloud.identity.errors import LoginFailed
from cloud.identity.values import Identity, LoginAttempt
from cloud.principal import Role
from tests.builders.cloud_database import NOW_MS, add_tenants, sqlite_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import ASGIApp

    from cloud.database.engine import Database

ISSUER = "https://login.example"
TENANT = "gelateria-sole"
HOUR_MS = 3_600_000


@dataclass
class ScriptedLogin:
    """An identity provider that vouches for whom the test names."""

    issuer: str = ISSUER
    subject: str = "anna"

    def begin(self, goal: str) -> tuple[LoginAttempt, str]:
        return LoginAttempt("state", "nonce", "verifier", goal, ISSUER), f"{ISSUER}/authorize"

    def finish(self, attempt: LoginAttempt | None, answer: Any) -> Identity:
        if attempt is None or answer.get("state") != attempt.state:
            raise LoginFailed("not begun here")
        return Identity(ISSUER, self.subject, self.subject.title())

    def end_url(self) -> str | None:
        return None


@dataclass
class ConsoleStage:
    """A console, its database, and browsers that are logged in.

    Args:
        desk: What the pages share.
        clock: The time as the console has it: `[now_ms]`; a test may move it.
    """

    desk: Desk
    app: ASGIApp
    login: ScriptedLogin
    clock: list[int] = field(default_factory=lambda: [NOW_MS])

    def operator(self, role: Role, *, tenant: str = TENANT, name: str | None = None) -> Operator:
        """An operator of this role; the same one each time."""
        subject = name or f"{role}-person"
        with self.desk.database.tenant(tenant) as connection:
            return put_operator(
                connection,
                tenant,
                NOW_MS,
                issuer=ISSUER,
                subject=subject,
                name=subject.replace("-", " ").title(),
                role=role,
                actor="test",
            )

    def cookie(self, role: Role = Role.ADMIN, *, tenant: str = TENANT, name: str | None = None) -> str:
        """A session's cookie."""
        return self.desk.sessions.open(self.operator(role, tenant=tenant, name=name)).text()

    def client(
        self, role: Role | None = Role.ADMIN, *, tenant: str = TENANT, name: str | None = None
    ) -> StageClient:
        """Somebody's browser without scripts; None: not logged in."""
        made = StageClient(self.app, base_url=self.desk.origin, follow_redirects=False)
        made.headers["accept"] = "text/html"
        if role is not None:
            made.keep(self.desk.cookies.session, self.cookie(role, tenant=tenant, name=name))
        return made


class StageClient(TestClient):
    """A browser without scripts that sends forms as our pages would."""

    def keep(self, name: str, value: str) -> None:
        """Have a cookie of the console's host."""
        self.cookies.set(name, value, domain=self.base_url.host)

    def send_form(self, path: str, data: dict[str, Any] | None = None, **headers: str) -> Any:
        """POST as a page of the console: its Origin, and the session's token."""
        page = self.get("/chains").text
        token = page.split('name="csrf" value="', 1)[1].split('"', 1)[0]
        origin = str(self.base_url).rstrip("/")
        return self.post(path, data={"csrf": token, **(data or {})}, headers={"origin": origin, **headers})


def build_stage(folder: Path, *tenants: str, public_url: str = "https://console.example") -> ConsoleStage:
    """A console over a fresh SQLite database."""
    database = _fresh_database(folder)
    add_tenants(database, *(tenants or (TENANT,)))
    return stage_over(database, folder, public_url=public_url)


def stage_over(
    database: Database, folder: Path, *, public_url: str = "https://console.example"
) -> ConsoleStage:
    """A console over a database that has its chains."""
    config = CloudConfig(
        environment="development",
        state_dir=folder,
        console=ConsoleConfig(public_url=public_url, oidc_issuer=ISSUER),
    )
    clock = [NOW_MS]
    login = ScriptedLogin()
    desk = Desk(
        config=config,
        database=database,
        sessions=Sessions(database, 12 * HOUR_MS, HOUR_MS, lambda: clock[0]),
        login=login,
        live=LiveHub(time.monotonic, tick_s=0.1),
        now_ms=lambda: clock[0],
    )
    return ConsoleStage(desk, build_app(desk), login, clock)


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


@contextlib.contextmanager
def serving(stage: ConsoleStage) -> Iterator[str]:
    """Serve a stage on a port of loopback, for real browsers; gives its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    console = dataclasses.replace(stage.desk.config.console, public_url=url)
    stage.desk = dataclasses.replace(
        stage.desk, config=dataclasses.replace(stage.desk.config, console=console)
    )
    stage.app = build_app(stage.desk)
    server = uvicorn.Server(
        uvicorn.Config(stage.app, lifespan="off", ws="none", log_config=None, timeout_graceful_shutdown=1)
    )

    async def run() -> None:
        await server.serve(sockets=[listening])
        await stage.desk.press.close()

    thread = threading.Thread(target=asyncio.run, args=[run()], daemon=True)
    thread.start()
    try:
        yield url
    finally:
        stage.desk.live.stop()
        server.should_exit = True
        thread.join(20)
        listening.close()
