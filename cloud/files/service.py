"""`topscoop cloud files run`: the parts put together, kept running until a signal ends them."""

import asyncio
import logging
import os
import signal
from typing import Final

from cloud import clock
from cloud.broker.composition import service_credentials
from cloud.broker.rights import FILES
from cloud.collector.adapters.sql_directory import SqlDirectory
from cloud.config import CloudConfig
from cloud.database.engine import Database, open_database
from cloud.errors import DatabaseAway
from cloud.files.adapters.metrics import FilesMetrics
from cloud.files.ports import World
from cloud.files.serve_loop import IN_FLIGHT, FileDesk
from cloud.health import Health, HealthServer
from cloud.mqtt_client import MqttClient
from cloud.outage_log import DatabaseOutage
from cloud.releases.composition import open_cached_files
from cloud.releases.errors import FileMissing, ReleasesAway, ReleasesRefused
from cloud.releases.ports import ReleaseFiles
from cloud.service_keys import KeysInUse, Purpose, ServiceKeyFolder
from cloud.stand_ins import check_stand_ins
from daemon.log_fields import fields
from wire_protocol.topics import FILES_SHARES

log = logging.getLogger(__name__)

_BEAT_S: Final = 1.0
_LOOK_EVERY_S: Final = 5.0
_TOKEN_BYTES: Final = 16
_MEGABYTE: Final = 1_000_000
_PROBE: Final = ("probe", "metadata/timestamp.json", 0, 1)
"""A file that need not be there: the store answers all the same."""


class _SystemClock:
    def now_ms(self) -> int:
        return clock.now_ms()


def run_files(config: CloudConfig) -> int:
    """Check what must be there, then run until a signal ends it.

    Raises:
        TopscoopError: Database, store or broker are not as they must be; nothing was started.
    """
    check_stand_ins(config)
    with open_database(config.database_url) as database:
        database.check()
        return asyncio.run(_serve(config, database))


async def _serve(config: CloudConfig, database: Database) -> int:
    metrics = FilesMetrics()
    health = Health("broker", "database", "releases")
    credentials = service_credentials(config, FILES) if config.mqtt.tls else None
    link = MqttClient(
        config.mqtt, credentials, service=FILES, filters=FILES_SHARES, receive_maximum=IN_FLIGHT
    )
    directory = SqlDirectory(database)
    store = open_cached_files(config, config.files.cache_mb * _MEGABYTE)
    signer_of = KeysInUse(ServiceKeyFolder(config.state_dir), Purpose.FILES)
    world = World(link, store, directory, signer_of, _SystemClock(), metrics, _token)
    desk = FileDesk(world, config.files.bytes_per_s)
    metrics.watch(desk, store)
    await asyncio.to_thread(_probe, store)
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    with HealthServer(health, metrics.registry, config.health.host, config.files.health_port) as server:
        log.info("files.started", extra=fields(health_port=server.port, pid=os.getpid()))
        try:
            async with asyncio.TaskGroup() as tasks:
                parts = [
                    tasks.create_task(link.run(), name="broker"),
                    tasks.create_task(desk.run(), name="file desk"),
                    tasks.create_task(_beat(health, link), name="health"),
                    tasks.create_task(_look(health, directory, store, metrics), name="stores"),
                ]
                await ending.wait()
                # Requests that wait are lost with the connection: another member of the share, or the
                # register's next try, answers them.
                link.stop_receiving()
                for part in parts:
                    part.cancel()
        finally:
            desk.close()
    log.info("files.ended", extra=fields())
    return 0


def _probe(store: ReleaseFiles) -> None:
    """Whether the store answers; raises ReleasesRefused where it is set up wrongly."""
    try:
        store.get(*_PROBE)
    except FileMissing:
        return
    except ReleasesAway as error:
        log.warning("files.waiting", extra=fields(what="releases", error=str(error)))


async def _beat(health: Health, link: MqttClient) -> None:
    while True:
        health.beat()
        health.report("broker", ok=link.connected)
        await asyncio.sleep(_BEAT_S)


async def _look(health: Health, directory: SqlDirectory, store: ReleaseFiles, metrics: FilesMetrics) -> None:
    """See every few seconds whether database and store answer."""
    outage = DatabaseOutage()
    while True:
        try:
            await directory.tenants()
        except DatabaseAway as error:
            health.report("database", ok=False, words=str(error))
            outage.failed("health", error)
        else:
            outage.worked("health")
            metrics.worked("database")
            health.report("database", ok=True)
        try:
            await asyncio.to_thread(store.get, *_PROBE)
        except FileMissing:
            metrics.worked("releases")
            health.report("releases", ok=True)
        except (ReleasesAway, ReleasesRefused) as error:
            metrics.waits("releases", error)
            health.report("releases", ok=False, words=str(error))
        await asyncio.sleep(_LOOK_EVERY_S)


def _token() -> bytes:
    return os.urandom(_TOKEN_BYTES)
