"""Intake's process: puts it together, shows how it is, and ends at a signal.

`build_intake` makes the same parts for whoever runs them within a process of their own.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from cloud.clock import now_ms
from cloud.config import CloudConfig
from cloud.database.engine import Database, open_database
from cloud.health import HealthServer
from cloud.http_server import QuietServer, bind, settings
from cloud.intake.adapters.metrics import IntakeWatch
from cloud.intake.adapters.s3_intake_store import S3IntakeStore
from cloud.intake.adapters.sqs_events import SqsEvents
from cloud.intake.arrivals import Arrivals
from cloud.intake.arrivals import Watch as ArrivalWatch
from cloud.intake.hearing import AT_ONCE, Hearing
from cloud.intake.intake_store import IntakeStore
from cloud.intake.look import BATCH, Look
from cloud.intake.queue_loop import take_from_queue
from cloud.intake.reconcile_loop import keep_forgetting, keep_looking
from cloud.intake.start_check import check_intake
from cloud.intake.webhook import Webhook
from cloud.objects.probe import Finding
from cloud.public_api.adapters.forgetting import forget_expired
from cloud.until_signal import until_signal
from daemon.log_fields import fields

log = logging.getLogger(__name__)

_BEAT_S: Final = 1
_POOL_SIZE: Final = AT_ONCE + 2
"""Connections to the database: all who hear, a look, and one that forgets."""
_CONCURRENCY_MAX: Final = 256
_KEEP_ALIVE_S: Final = 60
"""An S3 server tells often, over the connection that it has."""


@dataclass(frozen=True, slots=True)
class Intake:
    """The parts, not yet running.

    Attributes:
        webhook_port: Where the webhook listens; None where there is none.
        works: The tasks, by name; each runs until it is cancelled.
    """

    arrivals: Arrivals
    webhook_port: int | None
    works: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]


def build_arrivals(
    config: CloudConfig, database: Database, watch: ArrivalWatch, store: IntakeStore | None = None
) -> Arrivals:
    """What takes in an upload; the public API has one for clients that say `complete`."""
    store = store if store is not None else S3IntakeStore.open(config)
    return Arrivals(database, store, watch, now_ms, config.intake.plaintext_s)


@contextmanager
def build_intake(
    config: CloudConfig, database: Database, watch: IntakeWatch, store: IntakeStore | None = None
) -> Iterator[Intake]:
    """All of it, for the time of the `with` block: threads and the webhook's port are given back at its end.

    Raises:
        PortBusy: The webhook's port is another's.
    """
    store = store if store is not None else S3IntakeStore.open(config)
    arrivals = build_arrivals(config, database, watch, store)
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(AT_ONCE, thread_name_prefix="intake"))
        hearing = Hearing(arrivals, threads)
        look = Look(
            database,
            store,
            arrivals,
            threads,
            now_ms,
            plaintext_s=config.intake.plaintext_s,
            every_s=config.intake.reconcile_every_s,
        )
        works: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "look": partial(keep_looking, look.look, watch, config.intake.reconcile_every_s),
            "forget": partial(keep_forgetting, partial(forget, database), database.tenants, now_ms, watch),
        }
        if config.intake.queue_url is not None:
            queue = SqsEvents.open(config)
            works["queue"] = partial(take_from_queue, queue, config.intake.bucket, hearing, watch)
        port = None
        if config.intake.webhook_token is not None:
            listening = stack.enter_context(bind(config.intake.host, config.intake.port, section="intake"))
            port = int(listening.getsockname()[1])
            webhook = Webhook(config.intake.webhook_token, config.intake.bucket, hearing, watch)
            works["webhook"] = partial(_listen, webhook, listening)
        yield Intake(arrivals, port, works)


async def serve(config: CloudConfig) -> None:
    """Until SIGTERM or SIGINT; the death of any task ends all.

    Raises:
        OperatorError: Something is not set up, or the bucket protects nothing.
        ObjectsAway: The store does not answer at the start.
        DatabaseAway: The database does not.
    """
    with open_database(config.database_url, pool_size=_POOL_SIZE) as database:
        database.check()
        await asyncio.to_thread(check_intake, config, warn)
        watch = IntakeWatch()
        with (
            build_intake(config, database, watch) as intake,
            HealthServer(
                watch.health, watch.registry, config.health.host, config.intake.health_port
            ) as probe,
        ):
            webhook = f"webhook on port {intake.webhook_port}, " if intake.webhook_port else ""
            print(f"intake runs, {webhook}health on port {probe.port}", flush=True)
            await until_signal(
                {**{name: work() for name, work in intake.works.items()}, "beat": _beat(watch)}
            )


def forget(database: Database, tenant: str, now_ms: int) -> int:
    """Delete a chain's rows of the public API that are over, in short transactions; how many.

    Raises:
        DatabaseAway: What was not deleted yet is at the next turn.
    """
    total = 0
    while True:
        with database.tenant(tenant) as connection:
            count = forget_expired(connection, tenant, now_ms, BATCH)
        total += count
        if not count:
            return total


async def _listen(webhook: Webhook, listening: socket.socket) -> None:
    server = QuietServer(settings(webhook, concurrency_max=_CONCURRENCY_MAX, keep_alive_s=_KEEP_ALIVE_S))
    try:
        await server.serve(sockets=[listening])
    except asyncio.CancelledError:
        if server.started:
            await server.shutdown(sockets=[listening])
        raise


async def _beat(watch: IntakeWatch) -> None:
    while True:
        watch.health.beat()
        await asyncio.sleep(_BEAT_S)


def warn(finding: Finding) -> None:
    """Tell what a store lacks."""
    log.warning("store.unprotected", extra=fields(finding=finding.name, what=finding.words))
