"""The client over the real API in process: no socket, a clock of the test's, pauses that take no time."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx

from api_client.chain import Chain
from api_client.logins import Login, LoginFiles
from api_client.world import World
from cloud.public_api.adapters.api_clients import add_client
from tests.builders.cloud_database import NOW_MS
from tests.builders.public_api import TENANT, build_stage
from tests.builders.recommendation_rows import recommend

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.testclient import TestClient

    from cloud.public_api.caller import CallerKind

ORIGIN = f"https://{TENANT}.api.example"
_STORE = "s3.example"


@dataclass
class Sent:
    """A request as it left the client."""

    method: str
    host: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class ClientStage(httpx.BaseTransport):
    """API, store and a recommender that is done at once.

    Args:
        folder: For the database and the logins.
        sent: Every request, those to the store included.
        scripted: By `METHOD /path`, or `PUT` for the store: what answers instead, each once.
        pauses: What the client waited, in seconds.
        answered: Whose uploads have their recommendation as soon as they are complete; None: nobody's.
        on_pause: Called at each pause.
    """

    folder: Path
    sent: list[Sent] = field(default_factory=list)
    scripted: dict[str, list[httpx.Response | Exception | Callable[[], httpx.Response]]] = field(
        default_factory=dict
    )
    pauses: list[float] = field(default_factory=list)
    answered: str | None = "anna"
    on_pause: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        place = self.folder / "api"
        place.mkdir(mode=0o700)
        self.api = build_stage(place)
        self.logins = LoginFiles(self.folder / "state" / "topscoop" / "client")
        self.world = World(
            now_s=lambda: self.api.clock[0] / 1000,
            monotonic=lambda: self.api.clock[0] / 1000,
            pause=self._pause,
            chance=lambda: 0.0,
            connect=self._connect,
        )
        self.trusted: list[ssl.SSLContext] = []
        self._inside: TestClient = self.api.client(None)

    def chain(self, **options: Any) -> Chain:
        """A client of the chain's; nobody is logged in unless `log_in` came first."""
        return Chain(ORIGIN, logins=self.logins, world=self.world, **options)

    def log_in(self, name: str = "anna", **bearer: CallerKind) -> Login:
        """As after a device's login."""
        login = Login(ORIGIN, self.api.bearer(name, **bearer), NOW_MS / 1000 + 3600)
        self.logins.write(login)
        return login

    def machine(self) -> tuple[str, str]:
        """Id and secret of a machine."""
        with self.api.desk.database.tenant(TENANT) as connection:
            made, secret = add_client(connection, TENANT, "till", NOW_MS, actor="test")
        return made.client, secret

    def script(self, what: str, *answers: httpx.Response | Exception | Callable[[], httpx.Response]) -> None:
        """Answer the next requests of this kind so."""
        self.scripted.setdefault(what, []).extend(answers)

    def asked(self, what: str) -> list[Sent]:
        """The requests of this kind so far."""
        return [one for one in self.sent if what in {one.method, f"{one.method} {one.path}"}]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        path = request.url.path
        self.sent.append(Sent(request.method, request.url.host, path, dict(request.headers), body))
        waiting = self.scripted.get("PUT" if request.url.host == _STORE else f"{request.method} {path}")
        if waiting:
            answer = waiting.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer if isinstance(answer, httpx.Response) else answer()
        return self._put(request, body) if request.url.host == _STORE else self._ask(request, body)

    def _put(self, request: httpx.Request, body: bytes) -> httpx.Response:
        key = request.url.path.removeprefix("/").partition("/")[2]
        put = self.api.store.put(key, body, request.headers["content-type"])
        return httpx.Response(200 if put else 412)

    def _ask(self, request: httpx.Request, body: bytes) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        found = self._inside.request(
            request.method, str(request.url.copy_with(scheme="https")), headers=headers, content=body
        )
        completed = request.url.path.endswith("/complete") and found.status_code == 200
        if completed and self.answered is not None:
            recommend(self.api.desk.database, UUID(request.url.path.split("/")[-2]).bytes, self.answered)
        kept = {name: value for name, value in found.headers.items() if name != "content-encoding"}
        return httpx.Response(found.status_code, headers=kept, content=found.content)

    def _connect(self, trusted: ssl.SSLContext) -> httpx.BaseTransport:
        self.trusted.append(trusted)
        return self

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.api.clock[0] += int(seconds * 1000)
        self.on_pause()
