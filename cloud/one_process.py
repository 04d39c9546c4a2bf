"""Public API, intake and recommender in one process, of the same parts: for trying out, or a small chain."""

import asyncio
from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from cloud.config import CloudConfig
from cloud.database.engine import open_database
from cloud.health import Health, HealthServer
from cloud.intake.adapters.metrics import IntakeWatch
from cloud.intake.promotion_composition import build_promoter
from cloud.intake.service import build_intake, warn
from cloud.intake.start_check import check_intake
from cloud.objects.s3_store import S3Store
from cloud.public_api.service import beat, build_api
from cloud.recommender.adapters.metrics import RecommenderMetrics
from cloud.recommender.service import build_recommender, deliver_promotions
from cloud.until_signal import until_signal

_POOL_SIZE: Final = 30
"""Connections to the database; what each of the three has by itself, together."""


class _Together(Collector):
    """The metrics of several registries: their names differ."""

    def __init__(self, *registries: CollectorRegistry) -> None:
        self._registries = registries

    def collect(self) -> Iterable[Metric]:
        """As Prometheus' library asks."""
        for one in self._registries:
            yield from one.collect()


async def serve(config: CloudConfig) -> None:
    """Until SIGTERM or SIGINT; the death of any task ends all. Health and metrics are on the API's port.

    Raises:
        OperatorError: Something is not set up, or the bucket protects nothing.
        ObjectsAway: The store does not answer at the start.
        DatabaseAway: The database does not.
        PictureWorkerUnavailable: No process to decode in can be started.
    """
    with open_database(config.database_url, pool_size=_POOL_SIZE) as database:
        database.check()
        await asyncio.to_thread(check_intake, config, warn)
        watch, metrics, health = IntakeWatch(), RecommenderMetrics(), Health("database")
        promoter = build_promoter(config, database, S3Store(config.s3))
        registry = CollectorRegistry()
        with (
            build_api(config, database) as api,
            build_intake(config, database, watch) as intake,
            build_recommender(config, database, metrics, promoter) as recommender,
            HealthServer(health, registry, config.health.host, config.public_api.health_port) as probe,
        ):
            registry.register(_Together(api.metrics.registry, watch.registry, metrics.registry))
            print(f"api runs on port {api.port}, health on port {probe.port}", flush=True)
            parts = {"api": api.works, "intake": intake.works, "recommender": recommender.works}
            works = {f"{part} {name}": work() for part, its in parts.items() for name, work in its.items()}
            works["promotions"] = deliver_promotions(promoter, database)
            await until_signal({**works, "beat": beat(health, database)})
