"""The console's process: puts it together, serves, and ends at a signal."""

import asyncio
import contextlib
import logging
import signal
import socket
import time
from collections.abc import Iterator
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from cloud.clock import now_ms
from cloud.config import CloudConfig
from cloud.console.adapters.oidc import OpenIdLogin
from cloud.console.adapters.sessions import Sessions
from cloud.console.app import build_app
from cloud.console.checks import check_console
from cloud.console.desk import Desk
from cloud.console.live_hub import LiveHub
from cloud.console.metrics import ConsoleMetrics
from cloud.database.engine import Database, open_database
from cloud.errors import DatabaseAway, PortBusy
from cloud.health import Health, HealthServer
from daemon.log_fields import fields

log = logging.getLogger(__name__)

_BEAT_S: Final = 5
_KEEP_ALIVE_S: Final = 20
_GRACE_S: Final = 3
_CONCURRENCY_MAX: Final = 512
_BACKLOG: Final = 256
_POOL_SIZE: Final = 10


def build_desk(config: CloudConfig, database: Database) -> Desk:
    """What the pages share."""
    console = config.console
    assert console.oidc_issuer is not None, "check_console refuses that"
    return Desk(
        config=config,
        database=database,
        sessions=Sessions(database, console.session_hours * 3_600_000, console.idle_minutes * 60_000, now_ms),
        login=OpenIdLogin(
            console.oidc_issuer,
            console.oidc_client_id,
            console.oidc_client_secret,
            console.public_url + "/login/callback",
            now_s=time.time,
            monotonic=time.monotonic,
        ),
        live=LiveHub(time.monotonic),
        now_ms=now_ms,
    )


async def serve(config: CloudConfig) -> None:
    """Until SIGTERM or SIGINT; the death of any task ends all.

    Raises:
        OperatorError: Something is not set up.
        DatabaseAway: The database does not answer at the start.
    """
    for one in check_console(config):
        log.warning("stand_in.used", extra=fields(what=one))
    with open_database(config.database_url, pool_size=_POOL_SIZE) as database:
        database.check()
        metrics = ConsoleMetrics()
        desk = build_desk(config, database)
        metrics.streams.set_function(lambda: desk.live.streams)
        health = Health("database")
        app = metrics.watched(build_app(desk), time.perf_counter)
        listening = _bind(config.console.host, config.console.port)
        server = _server(app)
        probe = HealthServer(health, metrics.registry, config.health.host, config.console.health_port)
        with probe, listening:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, _stop, server, desk.live)
            print(
                f"console runs on port {listening.getsockname()[1]}, health on port {probe.port}", flush=True
            )
            async with asyncio.TaskGroup() as group:
                beating = group.create_task(_beat(health, database), name="beat")
                await server.serve(sockets=[listening])
                await desk.press.close()
                beating.cancel()


def _server(app: ASGIApp) -> "_Server":
    return _Server(
        uvicorn.Config(
            app,
            loop="none",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            # Nothing that a client sends may change who we think it is.
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_GRACE_S,
            limit_concurrency=_CONCURRENCY_MAX,
        )
    )


class _Server(uvicorn.Server):
    """The process has one owner of signals, and it is not the web server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def _stop(server: uvicorn.Server, live: LiveHub) -> None:
    live.stop()
    server.should_exit = True


def _bind(host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise PortBusy(
            f"cannot listen on {host}:{port}: {error.strerror}",
            remedy="Set another console.port, or console.host to an address of this machine.",
        ) from error
    return bound


async def _beat(health: Health, database: Database) -> None:
    while True:
        health.beat()
        try:
            await asyncio.to_thread(database.revision)
        except DatabaseAway as error:
            health.report("database", ok=False, words=str(error))
        else:
            health.report("database", ok=True)
        await asyncio.sleep(_BEAT_S)
