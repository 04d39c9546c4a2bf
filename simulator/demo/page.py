"""The demo page's small server: static files, live events, live pictures; loopback only."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.demo.errors import PagePortBusyError
from simulator.demo.feed import Feed
from simulator.demo.pictures import Pictures

HOST = "127.0.0.1"
STATIC = Path(__file__).parent / "static"
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class SecurityHeaders:
    """Adds the headers to every answer, streams included, without buffering them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, as ASGI does."""

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        await self._app(scope, receive, send_secured)


class Plug(BaseModel):
    """What the page's button orders."""

    model_config = ConfigDict(extra="forbid", strict=True)
    plugged: bool


def build_app(
    feed: Feed, pictures: Pictures, plug: Callable[[str, bool], bool] = lambda _register, _plugged: False
) -> FastAPI:
    """The page and its two streams.

    Args:
        feed: Events.
        pictures: Of the cameras.
        plug: Plugs a register's cable in or out; False where there is no such register.
    """
    app = FastAPI(title="Topscoop demo", docs_url=None, redoc_url=None, openapi_url=None)
    # A page of another origin that points its name at 127.0.0.1 must not look into the shops.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    app.add_middleware(SecurityHeaders)

    @app.get("/")
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @app.get("/live/events")
    async def events() -> StreamingResponse:
        return StreamingResponse(feed.stream(), media_type="text/event-stream")

    @app.get("/live/pictures")
    async def live_pictures() -> StreamingResponse:
        return StreamingResponse(pictures.stream(), media_type="application/octet-stream")

    @app.put("/cables/{tenant}/{shop}", status_code=HTTPStatus.NO_CONTENT)
    async def cable(tenant: str, shop: str, order: Plug) -> None:
        # Only a page of this origin can send JSON here: others would have to ask first, and get no answer.
        if not plug(f"{tenant}/{shop}", order.plugged):
            raise HTTPException(HTTPStatus.NOT_FOUND)

    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


class PageServer(uvicorn.Server):
    """Uvicorn without its signal handlers: the demo decides when everything ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def page_server(app: FastAPI) -> PageServer:
    """A server for `app` that ends within seconds, whoever still looks."""
    return PageServer(
        uvicorn.Config(
            app, lifespan="off", access_log=False, log_level="warning", timeout_graceful_shutdown=2, ws="none"
        )
    )


def bind_page(port: int) -> socket.socket:
    """A bound socket on loopback; port 0 lets the system choose.

    Raises:
        PagePortBusyError: Another program has the port.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError as error:
        bound.close()
        raise PagePortBusyError(
            f"the demo page cannot listen on port {port}: {error.strerror}",
            remedy="Give another one with --port, or leave it out and any free port is taken.",
        ) from error
    return bound
