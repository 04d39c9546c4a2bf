"""The pages for phones before a scripted API and a store of its own host: a test says what both answer."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import threading
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.applications import Starlette
from starlette.routing import Route

from cloud.config import PublicApiConfig, S3Config
from cloud.http_server import QuietServer, bind, settings
from cloud.identity.adapters.issuers import put_issuer
from cloud.identity.values import Issuer
from cloud.intake.adapters.s3_url_signer import S3UrlSigner
from cloud.public_api.adapters.sessions import NewSession, open_session
from cloud.public_api.app import build_app
from cloud.public_api.caller import CallerKind
from cloud.public_api.cookies import CookieNames
from cloud.public_api.pages.rendering import show
from cloud.public_api.problems import problem
from cloud.public_api.routes import login, pages
from cloud.public_api.tenants import Tenants
from tests.builders.cloud_database import NOW_MS
from tests.builders.public_api import HOUR_MS, TENANT, build_stage, user_of
from wire_protocol.notices import AT_THE_TILL, FROM_A_PHONE, fill

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from starlette.types import ASGIApp

CSRF = "a-secret-of-the-session"
PROOF = "9f86d081884c7d659a2feaa0c55ad015"
ERASED = {
    "proof": PROOF,
    "state": "done",
    "asked_at": "2026-11-22T14:20:00Z",
    "waiting": 0,
    "nobody_opens_since": "2026-11-22T14:20:01Z",
    "online_copies_gone": "2026-11-22T14:22:00Z",
    "last_backup_gone": "2026-12-27T14:22:00Z",
}
REQUEST = "01939f52-0000-7000-8000-0000000000a1"
SESSION = CookieNames(secure=False).session
FLAVOURS = (
    ("pistachio", "Pistachio", "Pistazie", "#93c572"),
    ("strawberry", "Strawberry", "Erdbeere", "#e0526a"),
    ("lemon", "Lemon", "Zitrone", "#f6e27a"),
    ("chocolate", "Dark chocolate", "Zartbitterschokolade", "#5b3a29"),
    ("hazelnut", "Hazelnut", "Haselnuss", "#b98b5e"),
)


@dataclass
class Phone:
    """What the pages meet.

    Args:
        url: Of the chain's host.
        store_url: Of the store.
        refusals: By `METHOD /path`, what is answered instead, each once: slug and more of the document.
        store_statuses: What the next PUTs get; after that 200.
        puts: The bodies that the store got.
        sent_bytes: All that came to the API and the store, heads included.
        asked: Every request to the API, as `METHOD /path`.
        bodies: JSON bodies by `METHOD /path`.
        streams: False: the stream of events is refused.
        answer: The recommendation.
        end: The stream's last event, where it is another one: its name and document.
        erasures: How far an erasure is, one after the other; the last one stays.
        handover: What `GET /v1/handovers/{code}` says beside chain and store.
    """

    url: str = ""
    store_url: str = ""
    refusals: dict[str, list[tuple[str, dict[str, Any]]]] = field(default_factory=dict)
    store_statuses: list[int] = field(default_factory=list)
    puts: list[bytes] = field(default_factory=list)
    sent_bytes: int = 0
    asked: list[str] = field(default_factory=list)
    bodies: dict[str, Any] = field(default_factory=dict)
    forged: list[str] = field(default_factory=list)
    streams: bool = True
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    end: tuple[str, dict[str, Any]] | None = None
    handover: dict[str, Any] = field(default_factory=dict)
    erasures: list[dict[str, Any]] = field(default_factory=lambda: [ERASED])
    cookie: str = ""

    async def weighed(self, request: Request) -> bytes:
        """A request's body; what it weighed together with its head is counted."""
        body = await request.body()
        head = sum(len(name) + len(value) + 4 for name, value in request.headers.raw)
        self.sent_bytes += head + len(str(request.url)) + 16 + len(body)
        return body

    def refuse(self, what: str, slug: str, **more: Any) -> None:
        """Answer the next request of this kind with a problem."""
        self.refusals.setdefault(what, []).append((slug, more))

    def reset(self) -> None:
        """As it is at the beginning of each test."""
        fresh = Phone(self.url, self.store_url, cookie=self.cookie)
        for one in dataclasses.fields(self):
            setattr(self, one.name, getattr(fresh, one.name))
        self.names = {one: {"en": en, "de": de} for one, en, de, _ in FLAVOURS}
        self.answer = recommendation()


def recommendation(**more: Any) -> dict[str, Any]:
    """One as the API gives it."""
    slate = [
        {"flavour": one, "name": name, "probability": probability}
        for (one, name, _, _), probability in zip(FLAVOURS, (0.52, 0.27, 0.05), strict=False)
    ]
    return {
        "request_id": REQUEST,
        "state": "done",
        "created_at": "2026-11-22T14:03:07.250Z",
        "expires_at": "2026-12-22T14:03:07.250Z",
        "source": "model",
        "slate": slate,
        "nobody": 0.01,
        "outcome": None,
    } | more


@contextlib.contextmanager
def phone_stage(folder: Path) -> Iterator[Phone]:
    """Serve both on ports of loopback."""
    with (
        contextlib.closing(bind("127.0.0.1", 0, section="public_api")) as api,
        contextlib.closing(bind("127.0.0.1", 0, section="s3")) as store,
    ):
        public_url = f"http://{{tenant}}.localhost:{api.getsockname()[1]}"
        phone = Phone(public_url.replace("{tenant}", TENANT), f"http://s3.localhost:{store.getsockname()[1]}")
        phone.reset()
        desk = build_stage(folder).desk
        config = dataclasses.replace(
            desk.config,
            public_api=PublicApiConfig(public_url=public_url),
            s3=S3Config(endpoint_url=phone.store_url, access_key="key", secret_key="secret"),
        )
        tenants = Tenants(desk.database, public_url, time.monotonic)
        signer = S3UrlSigner.open(config)
        desk = dataclasses.replace(desk, config=config, tenants=tenants, signer=signer)
        with desk.database.tenant(TENANT) as connection:
            google = Issuer("https://accounts.example.com", "topscoop", label="Google")
            put_issuer(connection, TENANT, google, NOW_MS, actor="test")
            anna = NewSession(user_of("anna"), CallerKind.BROWSER, HOUR_MS)
            phone.cookie = open_session(connection, TENANT, anna, NOW_MS)
        # Everything is the real application's but the answers of the API itself.
        paper = SimpleNamespace(router=_paper_routes(phone))
        with patch("cloud.public_api.app.ROUTES", (pages, login, paper)):
            app = build_app(desk)
        with _served(app, api), _served(_store(phone), store):
            yield phone


@contextlib.contextmanager
def _served(app: ASGIApp, listening: Any) -> Iterator[None]:
    server = QuietServer(settings(app, concurrency_max=100, keep_alive_s=5))
    thread = threading.Thread(
        target=asyncio.run, args=[server.serve(sockets=[listening])], name="served", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(20)


def _paper_routes(phone: Phone) -> APIRouter:  # noqa: C901, PLR0915 - one function a route
    app = APIRouter()

    async def _enter(request: Request) -> Any:
        """What holds for each: who calls, whether it was told to refuse, and CSRF."""
        what = f"{request.method} {request.url.path}"
        phone.asked.append(what)
        text = await phone.weighed(request)
        if text:
            phone.bodies[what] = json.loads(text)
        if waiting := phone.refusals.get(what):
            slug, more = waiting.pop(0)
            raise problem(slug, "as the test says", **more)
        if request.cookies.get(SESSION) != phone.cookie:
            raise problem("not-authenticated", "there is no session")
        if request.method != "GET" and request.headers.get("x-csrf-token") != CSRF:
            phone.forged.append(what)
            raise problem("not-genuine", "there is no token")

    @app.get("/v1/me")
    async def me(request: Request) -> Any:
        await _enter(request)
        return {"kind": "browser", "csrf": CSRF}

    @app.delete("/v1/me")
    async def erase(request: Request) -> Any:
        await _enter(request)
        return {"proof": PROOF, "status": f"/v1/erasures/{PROOF}"}

    @app.get(f"/v1/erasures/{PROOF}")
    async def erasure() -> Any:
        return phone.erasures.pop(0) if len(phone.erasures) > 1 else phone.erasures[0]

    @app.get("/v1/notice")
    async def notice(request: Request, language: str = "en") -> Any:
        await _enter(request)
        return _notice(FROM_A_PHONE, language)

    @app.get("/v1/menu")
    async def menu(request: Request) -> Any:
        await _enter(request)
        return {
            "flavours": [
                {"flavour": one, "name": en, "names": phone.names[one], "colour": colour}
                for one, en, _, colour in FLAVOURS
            ]
        }

    @app.post("/v1/uploads", status_code=201)
    async def uploads(request: Request) -> Any:
        await _enter(request)
        url = f"{phone.store_url}/topscoop-intake/intake/{TENANT}/picture?X-Amz-Signature=abc"
        headers = {"Content-Type": "image/jpeg", "If-None-Match": "*", "Content-Length": "1"}
        return {"request_id": REQUEST, "url": url, "headers": headers, "expires_at": "2026-11-22T14:04:07Z"}

    @app.post(f"/v1/uploads/{REQUEST}/complete")
    @app.delete(f"/v1/uploads/{REQUEST}")
    @app.post(f"/v1/recommendations/{REQUEST}/outcome")
    async def done(request: Request) -> Any:
        await _enter(request)
        return {}

    @app.get(f"/v1/recommendations/{REQUEST}")
    async def poll(request: Request) -> Any:
        await _enter(request)
        return phone.answer

    @app.get(f"/v1/recommendations/{REQUEST}/events")
    async def events(request: Request) -> Response:
        await _enter(request)
        if not phone.streams:
            return JSONResponse({}, 503)
        name, document = phone.end or ("done", phone.answer)
        told = f"event: issued\ndata: {{}}\n\nevent: {name}\ndata: {json.dumps(document)}\n\n"
        return Response(told, media_type="text/event-stream")

    @app.get("/v1/recommendations")
    async def mine(request: Request, cursor: str | None = None) -> Any:
        await _enter(request)
        sold = {"lines": [{"flavour": "lemon", "quantity": 1}], "recorded_at": "2026-11-22T14:10:00Z"}
        found = [phone.answer, recommendation(outcome=sold)] if cursor is None else [recommendation()]
        return {"recommendations": found, "next": "older" if cursor is None else None}

    @app.get("/v1/handovers/{code}")
    @app.post("/v1/handovers/{code}")
    @app.delete("/v1/handovers/{code}")
    async def handover(request: Request, code: str, language: str = "en") -> Any:
        await _enter(request)
        if request.method == "DELETE":
            return Response(status_code=204)
        state = "open"
        notice: dict[str, Any] | None = _notice(AT_THE_TILL, language)
        if request.method == "POST":
            state, notice = ("given" if (await request.json())["granted"] else "refused"), None
        return HANDOVER | {"state": state, "notice": notice} | phone.handover

    @app.get("/paper/{page}")
    async def page(request: Request, page: str) -> Response:
        """Each shell that other routes show."""
        step, _, wrong = page.partition("-")
        if step == "failure":
            return await asyncio.to_thread(show, request, "failure.html", failure=wrong, status=404)
        values: dict[str, Any] = {"step": step, "code": "WDJB-MJHT", "csrf": CSRF, "wrong": bool(wrong)}
        return await asyncio.to_thread(show, request, "device.html", **values)

    return app


HANDOVER = {
    "handover_id": "5f" * 16,
    "chain": "Gelateria Sole",
    "store": "Marktplatz 3",
}


def _notice(texts: Mapping[str, str], language: str) -> dict[str, Any]:
    notice = fill(language, texts[language], ("training",), 365, "Gelateria Sole")
    return {
        "language": language,
        "text": notice.text,
        "sha256": notice.sha256.hex(),
        "purposes": list(notice.purposes),
    }


def _store(phone: Phone) -> ASGIApp:
    """An S3 server as far as a browser sees it."""
    allowed = {
        "Access-Control-Allow-Origin": phone.url,
        "Access-Control-Allow-Methods": "PUT",
        "Access-Control-Allow-Headers": "content-type, if-none-match",
    }

    async def answer(request: Request) -> Response:
        body = await phone.weighed(request)
        if request.method == "OPTIONS":
            return Response(status_code=200, headers=allowed)
        phone.puts.append(body)
        status = phone.store_statuses.pop(0) if phone.store_statuses else 200
        return Response(status_code=status, headers=allowed)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["PUT", "OPTIONS"])])
