"""The recommender's process: puts it together, shows how it is, and ends at a signal.

`build_recommender` makes the same parts for whoever runs them within a process of their own.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from cloud.clock import now_ms
from cloud.config import CloudConfig
from cloud.database.engine import Database, open_database
from cloud.database.notifications import JOBS, listen
from cloud.errors import DatabaseAway
from cloud.health import Health, HealthServer
from cloud.intake.promotion import Promoter
from cloud.intake.promotion_composition import build_promoter
from cloud.jobs.queue import JobQueue
from cloud.jobs.values import Queue
from cloud.objects.s3_store import S3Store
from cloud.outage_log import DatabaseOutage
from cloud.recommender.adapters.metrics import RecommenderMetrics
from cloud.recommender.adapters.release_models import ReleaseModels
from cloud.recommender.adapters.s3_pictures import open_pictures
from cloud.recommender.adapters.sql_rows import SqlRows
from cloud.recommender.ports import Pictures, Promote
from cloud.recommender.recommend_loop import Bell, Workers
from cloud.recommender.recommender import READS_AT_ONCE, Recommender, Terms, World
from cloud.recommender.warm_models import WarmModels
from cloud.releases.composition import open_cached_files
from cloud.until_signal import until_signal
from daemon.log_fields import fields
from inference.picture import STRICT, PictureDecoder
from wire_protocol.errors import TopscoopError

log = logging.getLogger(__name__)

_BEAT_S: Final = 1.0
_LOOK_EVERY_S: Final = 5.0
_DELIVER_EVERY_S: Final = 30.0
_MEGABYTE: Final = 1_000_000
_FETCH_ROOM_BYTES: Final = 4 * _MEGABYTE
"""Networks are kept as sessions; what they were fetched as is read once."""
_THREADS: Final = 2
"""While one batch is decoded, another is read and written."""
_POOL_SIZE: Final = _THREADS + 2


@dataclass(frozen=True, slots=True)
class RunningRecommender:
    """The parts; `works` is to be run while threads do the rest.

    Attributes:
        ring: Looks for jobs at once: for whoever enqueues in the same process, after the commit.
        works: The tasks, by name; each runs until it is cancelled.
    """

    ring: Callable[[], None]
    works: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]


@contextmanager
def build_recommender(
    config: CloudConfig,
    database: Database,
    metrics: RecommenderMetrics,
    promote: Promote,
    pictures: Pictures | None = None,
) -> Iterator[RunningRecommender]:
    """All of it, for the time of the `with` block; at its end what is in work is ended first.

    Args:
        config: Of the cloud.
        database: Of the cloud.
        metrics: Count.
        promote: Keeps pictures under a consent.
        pictures: The intake bucket; the configuration's by default.

    Raises:
        PictureWorkerUnavailable: No process to decode in can be started.
    """
    mine = config.recommender
    releases = ReleaseModels(database, open_cached_files(config, _FETCH_ROOM_BYTES))
    models = WarmModels(releases.look_up, releases.load, mine.models_mb * _MEGABYTE, time.monotonic)
    metrics.watch(models)
    outage = DatabaseOutage()
    bell = Bell(polling=database.is_sqlite)
    with (
        PictureDecoder(STRICT) as decoder,
        ThreadPoolExecutor(READS_AT_ONCE, thread_name_prefix="pictures") as readers,
    ):
        rows = SqlRows(
            database, lease_ms=mine.lease_s * 1000, keep_days=config.public_api.recommendation_days
        )
        world = World(
            rows,
            pictures if pictures is not None else open_pictures(config),
            decoder,
            models,
            promote,
            metrics,
            now_ms,
            time.monotonic,
            random.random,
        )
        terms = Terms(mine.batch_max, mine.attempts, config.intake.plaintext_s * 1000)
        # A SQLite file has one writer, and each thread would poll.
        threads = 1 if database.is_sqlite else _THREADS
        recommenders = [Recommender(world, terms, readers) for _ in range(threads)]
        workers = Workers(recommenders, bell, outage, batch_max=mine.batch_max)
        works: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "workers": partial(_run, workers),
            "backlog": partial(_look, JobQueue(database), metrics, outage),
        }
        if not database.is_sqlite:
            works["listen"] = partial(listen, database.url, (JOBS,), bell)
        yield RunningRecommender(bell.ring, works)


async def serve(config: CloudConfig) -> None:
    """Until SIGTERM or SIGINT; the death of any task ends all.

    Raises:
        OperatorError: Something is not set up.
        DatabaseAway: The database does not answer at the start.
        PictureWorkerUnavailable: No process to decode in can be started.
    """
    with open_database(config.database_url, pool_size=_POOL_SIZE) as database:
        database.check()
        metrics = RecommenderMetrics()
        health = Health("database")
        promoter = build_promoter(config, database, S3Store(config.s3))
        with (
            build_recommender(config, database, metrics, promoter) as recommender,
            HealthServer(
                health, metrics.registry, config.health.host, config.recommender.health_port
            ) as probe,
        ):
            log.info("recommender.started", extra=fields(health_port=probe.port))
            works = {name: work() for name, work in recommender.works.items()}
            works["promotions"] = deliver_promotions(promoter, database)
            await until_signal({**works, "beat": _beat(health, database)})
        log.info("recommender.ended", extra=fields())


async def _run(workers: Workers) -> None:
    """Let the threads work until cancelled; raises what ended one of them."""
    loop = asyncio.get_running_loop()
    died: asyncio.Future[None] = loop.create_future()

    def failed(error: BaseException) -> None:
        loop.call_soon_threadsafe(tell, error)

    def tell(error: BaseException) -> None:
        if not died.done():
            died.set_exception(error)

    workers.start(failed)
    try:
        await died
    finally:
        # Shielded by being a thread of its own: what is in work ends, whoever cancels.
        stopping = loop.run_in_executor(None, workers.stop)
        while not stopping.done():
            try:
                await asyncio.shield(stopping)
            except asyncio.CancelledError:
                continue


async def _look(queue: JobQueue, metrics: RecommenderMetrics, outage: DatabaseOutage) -> None:
    """Show what waits, every few seconds."""
    while True:
        try:
            metrics.backlog(await asyncio.to_thread(queue.backlog, Queue.RECOMMEND))
        except DatabaseAway as error:
            outage.failed("backlog", error)
        else:
            outage.worked("backlog")
        await asyncio.sleep(_LOOK_EVERY_S)


async def deliver_promotions(promoter: Promoter, database: Database) -> None:
    """Bring pictures that were sealed and then left to their bucket, every now and then."""
    while True:
        try:
            for tenant in await asyncio.to_thread(database.tenants):
                await asyncio.to_thread(promoter.deliver_left, tenant)
        except TopscoopError as error:
            log.warning("promotion.waiting", extra=fields(error=str(error)[:300]))
        await asyncio.sleep(_DELIVER_EVERY_S)


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
