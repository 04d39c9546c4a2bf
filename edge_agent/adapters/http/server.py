"""uvicorn, held so that it fits in our task group: no signal handlers, no start-up of its own."""

import asyncio
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

_KEEP_ALIVE_S: Final = 120
"""A till asks every minute or so; a new connection would cost it more than the request."""
_MAX_CONCURRENCY: Final = 128
_GRACE_S: Final = 3


class ApiServer:
    """Serves one application on sockets that are bound already."""

    def __init__(self, app: ASGIApp, sockets: Sequence[socket.socket]) -> None:
        config = uvicorn.Config(
            app,
            loop="none",
            http="httptools",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            # Nothing that a client sends may change who we think it is.
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_GRACE_S,
            limit_concurrency=_MAX_CONCURRENCY,
        )
        self._server = _Server(config)
        self._sockets = list(sockets)
        self.started = self._server.up
        """Set when connections are accepted."""

    async def serve(self) -> None:
        """Answer requests until `stop`; a cancelled `serve` drops its connections."""
        await self._server.serve(sockets=self._sockets)

    def stop(self) -> None:
        """Finish the requests under way, then let `serve` return."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """The process has one owner of signals, and it is not the web server."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield
