"""The console's process: puts it together, serves, and ends at a signal."""

import asyncio
import logging
import signal
import ssl
import time
from typing import Final

import uvicorn

from cloud.clock import now_ms
from cloud.config import CloudConfig
from cloud.console.adapters.sessions import Sessions
from cloud.console.app import build_app
from cloud.console.checks import check_console
from cloud.console.desk import Desk
from cloud.console.live_hub import LiveHub
from cloud.console.local_path import HOME
from cloud.console.metrics import ConsoleMetrics
from cloud.database.engine import Database, open_database
from cloud.errors import DatabaseAway
from cloud.health import Health, HealthServer
from cloud.http_server import QuietServer, bind, settings
from cloud.identity.code_flow import CodeFlow
from cloud.identity.provider import OpenIdProvider
from daemon.log_fields import fields

log = logging.getLogger(__name__)

_BEAT_S: Final = 5
_KEEP_ALIVE_S: Final = 20
_CONCURRENCY_MAX: Final = 512
_POOL_SIZE: Final = 10


def build_desk(config: CloudConfig, database: Database) -> Desk:
    """What the pages share."""
    console = config.console
    assert console.oidc_issuer is not None, "check_console refuses that"
    return Desk(
        config=config,
        database=database,
        sessions=Sessions(database, console.session_hours * 3_600_000, console.idle_minutes * 60_000, now_ms),
        login=CodeFlow(
            OpenIdProvider(console.oidc_issuer, monotonic=time.monotonic, tls=ssl.create_default_context()),
            console.oidc_client_id,
            console.oidc_client_secret,
            console.public_url + "/login/callback",
            now_s=time.time,
            home=HOME,
            scope="openid profile",
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
        listening = bind(config.console.host, config.console.port, section="console")
        server = QuietServer(settings(app, concurrency_max=_CONCURRENCY_MAX, keep_alive_s=_KEEP_ALIVE_S))
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


def _stop(server: uvicorn.Server, live: LiveHub) -> None:
    live.stop()
    server.should_exit = True


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
