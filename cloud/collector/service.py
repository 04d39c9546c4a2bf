"""`topscoop cloud collector run`: the parts put together, kept running, taken apart in one order."""

import asyncio
import contextlib
import logging
import os
import signal

from sqlalchemy.engine import make_url

from cloud import clock
from cloud.broker.composition import service_credentials
from cloud.broker.rights import COLLECTOR
from cloud.collector.acceptance import Terms
from cloud.collector.adapters.metrics import CollectorMetrics, TimedObjects
from cloud.collector.adapters.receipt_keys import ReceiptKeys
from cloud.collector.adapters.sql_directory import SqlDirectory
from cloud.collector.adapters.sql_ledger import SqlLedger
from cloud.collector.collect_loop import Collector
from cloud.collector.limits import Limits
from cloud.collector.ports import Objects, World
from cloud.collector.sweep_loop import Sweeper
from cloud.config import CloudConfig
from cloud.database.engine import Database, open_database
from cloud.errors import DatabaseAway
from cloud.event_loop import fast_loop
from cloud.health import Health, HealthServer
from cloud.mqtt_client import MqttClient
from cloud.objects.coroutines import InThreads
from cloud.objects.probe import Finding, check_store
from cloud.objects.s3_store import S3Store
from cloud.outage_log import DatabaseOutage
from cloud.service_keys import ServiceKeyFolder
from cloud.stand_ins import check_stand_ins
from daemon.log_fields import fields
from wire_protocol.topics import EVENTS_SHARES, FRAMES_SHARE

log = logging.getLogger(__name__)

DRAIN_S = 20.0
_BEAT_S = 1.0
_DATABASE_EVERY_S = 5.0
_TOKEN_BYTES = 16
_WORKERS = 2


class _SystemClock:
    def now_ms(self) -> int:
        return clock.now_ms()


def limits_of(config: CloudConfig) -> Limits:
    """What the operator set."""
    chosen = config.collector
    return Limits(
        in_flight=chosen.in_flight,
        batch_max=chosen.batch_max,
        batch_ms=chosen.batch_ms,
        attempts_max=chosen.attempts,
        retry_after_ms=chosen.retry_after_s * 1000,
        sweep_after_ms=chosen.sweep_after_s * 1000,
        # A SQLite file has one writer: a second transaction at once would only wait, with half of a batch.
        workers=1 if make_url(config.database_url).get_backend_name() == "sqlite" else _WORKERS,
        terms=Terms(lease_ms=chosen.lease_s * 1000),
    )


def open_objects(config: CloudConfig) -> Objects:
    """The bucket, through the client that the operator chose; obstore knows no certificates of one's own."""
    store = S3Store(config.s3)
    if config.collector.object_client == "boto3" or config.s3.ca_file is not None:
        return InThreads(store)
    from cloud.objects.fast_store import FastStore

    return FastStore(config.s3, store)


def run_collector(config: CloudConfig) -> int:
    """Check what must be there, then run until a signal ends it; 1 where a part died.

    Raises:
        TopscoopError: Store, database or broker are not as they must be; nothing was started.
    """
    check_stand_ins(config)
    database = open_database(config.database_url)
    database.check()
    check_store(config.s3, development=config.development, warn=_warn)
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        return runner.run(_serve(config, database))


async def _serve(config: CloudConfig, database: Database) -> int:
    limits = limits_of(config)
    metrics = CollectorMetrics()
    health = Health("broker", "database", "objects")
    credentials = service_credentials(config, COLLECTOR) if config.mqtt.tls else None
    link = MqttClient(
        config.mqtt,
        credentials,
        service=COLLECTOR,
        filters=(FRAMES_SHARE, *EVENTS_SHARES),
        receive_maximum=limits.in_flight,
    )
    outage = DatabaseOutage()
    ledger, directory = SqlLedger(database, outage=outage), SqlDirectory(database)
    objects = TimedObjects(open_objects(config), metrics)
    signer_of = ReceiptKeys(ServiceKeyFolder(config.state_dir))
    world = World(link, ledger, objects, directory, signer_of, _SystemClock(), metrics, _token)
    collector = Collector(world, limits)
    metrics.watch(collector)
    sweeper = Sweeper(ledger, objects, directory, world.clock, metrics, sweep_after_ms=limits.sweep_after_ms)
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    with HealthServer(health, metrics.registry, config.health.host, config.collector.health_port) as server:
        log.info("collector.started", extra=fields(health_port=server.port, pid=os.getpid()))
        try:
            async with asyncio.TaskGroup() as tasks:
                start = tasks.create_task
                parts = [
                    start(link.run(), name="broker"),
                    start(collector.run(), name="collector"),
                    start(sweeper.run(config.collector.sweep_every_s), name="sweeper"),
                    start(_report(health, link, collector), name="health"),
                    start(_report_database(health, directory, outage), name="database health"),
                ]
                await ending.wait()
                log.info("collector.ending", extra=fields(in_flight=collector.in_flight.messages))
                link.stop_receiving()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(DRAIN_S):
                        await collector.drain()
                for part in parts:
                    part.cancel()
        finally:
            ledger.close()
            database.close()
    log.info("collector.ended", extra=fields(in_flight=collector.in_flight.messages))
    return 0


async def _report(health: Health, link: MqttClient, collector: Collector) -> None:
    while True:
        health.beat()
        health.report("broker", ok=link.connected)
        health.report("objects", ok=not collector.claims.store_away)
        await asyncio.sleep(_BEAT_S)


async def _report_database(health: Health, directory: SqlDirectory, outage: DatabaseOutage) -> None:
    while True:
        try:
            await directory.tenants()
        except DatabaseAway as error:
            health.report("database", ok=False, words=str(error))
            outage.failed("health", error)
        else:
            outage.worked("health")
            health.report("database", ok=True)
        await asyncio.sleep(_DATABASE_EVERY_S)


def _warn(finding: Finding) -> None:
    log.warning("store.unprotected", extra=fields(finding=finding.name, what=finding.words))


def _token() -> bytes:
    return os.urandom(_TOKEN_BYTES)
