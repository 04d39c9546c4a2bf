"""The public API's process: puts it together, serves, and ends at a signal.

`build_api` makes the same parts for whoever runs them within a process of their own.
"""

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from cloud.clock import now_ms
from cloud.config import CloudConfig
from cloud.database.engine import Database, open_database
from cloud.errors import DatabaseAway
from cloud.health import Health, HealthServer
from cloud.http_server import QuietServer, bind, settings
from cloud.outage_log import DatabaseOutage
from cloud.public_api.adapters.wakeups import wake
from cloud.public_api.app import build_app
from cloud.public_api.checks import check_public_api
from cloud.public_api.composition import build_desk
from cloud.public_api.metrics import ApiMetrics
from cloud.until_signal import until_signal
from daemon.log_fields import fields

log = logging.getLogger(__name__)

_BEAT_S: Final = 5
_KEEP_ALIVE_S: Final = 75
"""Longer than a gateway keeps its connections to us, so that it is never surprised by their end."""
_CONCURRENCY_MAX: Final = 6000
"""More than may wait for answers at once."""
_POOL_SIZE: Final = 20
"""Half of the threads that work; the other half finds the overflow."""

_SWITCH_S: Final = 0.0005
"""Python's own 5 ms let a thread that builds a statement keep the event loop waiting that long."""


@dataclass(frozen=True, slots=True)
class RunningApi:
    """The parts; `works` is to be run.

    Attributes:
        port: Where it listens.
        metrics: Counts.
        works: The tasks, by name; each runs until it is cancelled.
    """

    port: int
    metrics: ApiMetrics
    works: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]


@contextmanager
def build_api(config: CloudConfig, database: Database) -> Iterator[RunningApi]:
    """All of it, for the time of the `with` block; its port is given back at the end.

    Raises:
        OperatorError: Something is not set up.
    """
    for one in check_public_api(config):
        log.warning("stand_in.used", extra=fields(what=one))
    desk = build_desk(config, database, now_ms)
    app = desk.metrics.watched(build_app(desk), time.perf_counter)
    with bind(config.public_api.host, config.public_api.port, section="public_api") as listening:
        server = QuietServer(settings(app, concurrency_max=_CONCURRENCY_MAX, keep_alive_s=_KEEP_ALIVE_S))

        async def listen() -> None:
            try:
                await server.serve(sockets=[listening])
            except asyncio.CancelledError:
                # Who waits is answered, then the connections are closed.
                desk.answers.stop()
                if server.started:
                    await server.shutdown(sockets=[listening])
                raise

        async def hear() -> None:
            await wake(desk.answers, database, DatabaseOutage())

        try:
            yield RunningApi(listening.getsockname()[1], desk.metrics, {"serve": listen, "wake": hear})
        finally:
            with contextlib.suppress(DatabaseAway):  # then a few uploads of today are counted too many
                desk.day_quota.close()


async def serve(config: CloudConfig) -> None:
    """Until SIGTERM or SIGINT; the death of any task ends all.

    Raises:
        OperatorError: Something is not set up.
        DatabaseAway: The database does not answer at the start.
    """
    sys.setswitchinterval(_SWITCH_S)
    with open_database(config.database_url, pool_size=_POOL_SIZE) as database:
        database.check()
        health = Health("database")
        port = config.public_api.health_port
        with (
            build_api(config, database) as api,
            HealthServer(health, api.metrics.registry, config.health.host, port) as probe,
        ):
            print(f"api runs on port {api.port}, health on port {probe.port}", flush=True)
            works = {name: work() for name, work in api.works.items()}
            await until_signal({**works, "beat": beat(health, database)})


async def beat(health: Health, database: Database) -> None:
    """Tell how loop and database are, until cancelled."""
    while True:
        health.beat()
        try:
            await asyncio.to_thread(database.revision)
        except DatabaseAway as error:
            health.report("database", ok=False, words=str(error))
        else:
            health.report("database", ok=True)
        await asyncio.sleep(_BEAT_S)
