"""The rollout controller's process: puts it together, shows how it is, and ends at a signal."""

import asyncio
import secrets
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from cloud.broker.composition import service_credentials
from cloud.broker.rights import ROLLOUT
from cloud.clock import now_ms
from cloud.config import CloudConfig, MqttConfig
from cloud.database.engine import Database, open_database
from cloud.enrolment.pki_folder import CredentialFiles
from cloud.health import Health, HealthServer
from cloud.mqtt_client import MqttClient
from cloud.releases.adapters.metrics import ReleaseMetrics
from cloud.releases.composition import open_cached_files
from cloud.releases.loop import look_after_releases
from cloud.rollout.intake import Intake, Taken
from cloud.rollout.outbox import Outbox
from cloud.rollout.rollout_loop import BATCH_MAX, Work, run_rollouts
from cloud.rollout.tick import Ticked, tick
from cloud.service_keys import Purpose, ServiceKeyFolder
from cloud.until_signal import until_signal
from wire_protocol.errors import TopscoopError
from wire_protocol.topics import ROLLOUT_SHARES, STATUS_FILTER

_BEAT_S: Final = 1
_TICK_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class RolloutWatch:
    """What Prometheus and the supervisor see of a controller."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.health = Health("broker", "tick")
        self.releases = ReleaseMetrics(self.registry)
        self._messages = Counter(
            "topscoop_rollout_messages",
            "Reports and statuses of registers that were taken in",
            ["kind"],
            registry=self.registry,
        )
        self._refused = Counter(
            "topscoop_rollout_messages_refused",
            "Reports and statuses that were refused, by reason",
            ["reason"],
            registry=self.registry,
        )
        self._again = Counter(
            "topscoop_rollout_repeated",
            "Desired states that are published again, because a register reported an older one",
            registry=self.registry,
        )
        self._told = Counter(
            "topscoop_rollout_told", "Desired states that were set for registers", registry=self.registry
        )
        self._published = Counter(
            "topscoop_rollout_published",
            "Desired states that were handed to the broker",
            registry=self.registry,
        )
        self._moves = Counter(
            "topscoop_rollout_moves",
            "Rollouts that went on to a stage, were done, failed or returned",
            ["kind"],
            registry=self.registry,
        )
        self._lost = Counter(
            "topscoop_rollout_overtaken",
            "Decisions that were not written, because somebody else changed the rollout first",
            registry=self.registry,
        )
        self._ticks = Histogram(
            "topscoop_rollout_tick_seconds",
            "How long one look at a chain's rollouts takes",
            buckets=_TICK_BUCKETS,
            registry=self.registry,
        )
        self._failed = Counter(
            "topscoop_rollout_failures",
            "Steps that could not be done and are tried again",
            ["what"],
            registry=self.registry,
        )

    def took(self, taken: Taken) -> None:
        """As `rollout_loop.Watch`."""
        self._messages.labels("report").inc(taken.reports)
        self._messages.labels("status").inc(taken.statuses)
        self._again.inc(taken.again)
        for _, reason in taken.refused:
            self._refused.labels(reason.value).inc()

    def ticked(self, ticked: Ticked, seconds: float) -> None:
        """As `rollout_loop.Watch`."""
        self._ticks.observe(seconds)
        self._told.inc(ticked.told)
        self._lost.inc(ticked.lost)
        for _, move in ticked.moves:
            self._moves.labels(move.kind).inc()

    def published(self, count: int) -> None:
        """As `rollout_loop.Watch`."""
        self._published.inc(count)

    def went_round(self) -> None:
        """As `rollout_loop.Watch`."""
        self.health.report("tick", ok=True)

    def failed(self, what: str, error: TopscoopError) -> None:
        """As `rollout_loop.Watch`."""
        self._failed.labels(what).inc()
        if what == "tick":
            self.health.report("tick", ok=False, words=str(error))


def rollout_client(config: MqttConfig, credentials: CredentialFiles | None) -> MqttClient:
    """A client that takes in registers' reports and statuses, and retains their desired states."""
    return MqttClient(
        config,
        credentials,
        service=ROLLOUT,
        filters=(*ROLLOUT_SHARES, STATUS_FILTER),
        receive_maximum=2 * BATCH_MAX,
    )


def build_work(config: CloudConfig, database: Database) -> Work:
    """A controller's parts over this database."""
    keys = ServiceKeyFolder(config.state_dir)
    return Work(
        intake=Intake(database, now_ms),
        outbox=Outbox(database, lambda tenant: keys.load(tenant, Purpose.FLEET), now_ms, secrets.token_bytes),
        tick=lambda tenant: tick(database, tenant, now_ms()),
        tenants=database.tenants,
        tick_s=config.rollout.tick_ms / 1000,
    )


async def serve(config: CloudConfig) -> None:
    """Until SIGTERM or SIGINT; the death of any task ends all.

    Raises:
        OperatorError: Something is not set up.
        DatabaseAway: The database does not answer at the start.
    """
    with open_database(config.database_url) as database:
        database.check()
        watch = RolloutWatch()
        probe = HealthServer(watch.health, watch.registry, config.health.host, config.rollout.health_port)
        with probe:
            link = rollout_client(
                config.mqtt, service_credentials(config, ROLLOUT) if config.mqtt.tls else None
            )
            look = partial(look_after_releases, every_s=config.releases.look_every_s, clock=now_ms)
            print(f"rollout controller runs, health on port {probe.port}", flush=True)
            await until_signal(
                {
                    "broker": link.run(),
                    "rollouts": run_rollouts(build_work(config, database), link, watch),
                    "releases": look(database, open_cached_files(config), watch=watch.releases),
                    "beat": _beat(watch.health, link),
                }
            )


async def _beat(health: Health, link: MqttClient) -> None:
    while True:
        health.beat()
        health.report("broker", ok=link.connected)
        await asyncio.sleep(_BEAT_S)
