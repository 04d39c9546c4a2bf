"""The keeper's process: puts it together, shows how it is, and ends at a signal."""

import asyncio
from typing import Final

from prometheus_client import CollectorRegistry, Counter

from cloud.clock import now_ms
from cloud.config import CloudConfig
from cloud.database.engine import Database, open_database
from cloud.health import Health, HealthServer
from cloud.mqtt_client import MqttClient
from cloud.privacy.adapters.handover_rows import HandoverRows
from cloud.privacy.composition import open_link, open_objects, open_vault
from cloud.privacy.downlink import Downlink, Publisher
from cloud.privacy.erasure import Eraser
from cloud.privacy.handover_keeper import HandoverKeeper
from cloud.privacy.keeper import Keeper, Stock
from cloud.privacy.keeper_loop import Chore, FromThreads, Pace, run_keeper
from cloud.privacy.person_care import PersonCare
from cloud.privacy.ports import KeyVault
from cloud.privacy.records import Records
from cloud.privacy.web_blanks import WebBlanks
from cloud.privacy.web_stock import WEB_BLANKS, WebStock
from cloud.service_keys import Purpose, ServiceKeyFolder
from cloud.until_signal import until_signal
from wire_protocol.errors import TopscoopError

_BEAT_S: Final = 1
_STOCK_EVERY_S: Final = 2.0
_PROOFS_EVERY_S: Final = 2.0
_LOG_EVERY_S: Final = 600.0
_CHORES: Final = ("handovers", "old handovers", "proofs", "person log")


class KeeperWatch:
    """What Prometheus and the supervisor see of the keeper."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.health = Health("broker", "erasure", "retention", WEB_BLANKS, *_CHORES)
        self._done = Counter(
            "topscoop_keeper_done",
            "Blanks sent or stocked, yeses sent to registers, consents erased or ended by retention",
            ["what"],
            registry=self.registry,
        )
        self._refused = Counter(
            "topscoop_keeper_reports_refused",
            "Reports of registers that were refused, by reason",
            ["reason"],
            registry=self.registry,
        )
        self._failed = Counter(
            "topscoop_keeper_failures",
            "Steps that could not be done and are tried again",
            ["what"],
            registry=self.registry,
        )

    def did(self, what: str, count: int) -> None:
        """As `keeper_loop.Watch`."""
        self._done.labels(what).inc(count)

    def went_round(self, what: str) -> None:
        """As `keeper_loop.Watch`."""
        self.health.report(what, ok=True)

    def refused(self, reason: str) -> None:
        """As `keeper_loop.Watch`."""
        self._refused.labels(reason).inc()

    def failed(self, what: str, error: TopscoopError) -> None:
        """As `keeper_loop.Watch`."""
        self._failed.labels(what).inc()
        if what != "blanks":
            self.health.report(what, ok=False, words=str(error))


def build_keeper(config: CloudConfig, database: Database, vault: KeyVault, link: Publisher) -> Keeper:
    """The keeper over these stores and this link."""
    records = Records(database)
    signing_keys = ServiceKeyFolder(config.state_dir)
    return Keeper(
        records,
        vault,
        Eraser(records, vault, open_objects(config), now_ms),
        Downlink(link, lambda tenant: signing_keys.load(tenant, Purpose.CONSENT), now_ms),
        stock=Stock(config.keeper.stock_blanks, config.keeper.blank_days),
        clock=now_ms,
        keep_notice=HandoverRows(database).keep_notice,
    )


def build_handovers(config: CloudConfig, database: Database, link: Publisher) -> HandoverKeeper:
    """What tells registers of yeses from phones."""
    signing_keys = ServiceKeyFolder(config.state_dir)
    downlink = Downlink(link, lambda tenant: signing_keys.load(tenant, Purpose.CONSENT), now_ms)
    return HandoverKeeper(HandoverRows(database), downlink, now_ms)


def build_web_stock(config: CloudConfig, database: Database, vault: KeyVault) -> WebStock:
    """The stock of blanks for the public API over these stores."""
    signing_keys = ServiceKeyFolder(config.state_dir)
    return WebStock(
        WebBlanks(database),
        vault,
        lambda tenant: signing_keys.load(tenant, Purpose.CONSENT),
        blanks=config.keeper.web_blanks,
        days=config.keeper.blank_days,
        clock=now_ms,
    )


async def serve(config: CloudConfig) -> None:
    """Until SIGTERM or SIGINT; the death of any task ends all.

    Raises:
        OperatorError: Something is not set up.
        DatabaseAway: A database does not answer at the start.
    """
    with open_database(config.database_url) as database:
        database.check()
        vault = open_vault(config)
        watch = KeeperWatch()
        probe = HealthServer(watch.health, watch.registry, config.health.host, config.keeper.health_port)
        try:
            with probe:
                link = open_link(config)
                publisher = FromThreads(link, asyncio.get_running_loop())
                keeper = build_keeper(config, database, vault, publisher)
                pace = Pace(config.keeper.poll_ms / 1000, config.keeper.retention_every_s)
                print(f"keeper runs, health on port {probe.port}", flush=True)
                given = build_handovers(config, database, publisher)
                care = PersonCare(database, open_objects(config), now_ms)
                chores = (
                    Chore(
                        WEB_BLANKS, build_web_stock(config, database, vault).top_up, every_s=_STOCK_EVERY_S
                    ),
                    Chore("handovers", given.send, every_s=pace.erase_every_s),
                    Chore("old handovers", given.forget, every_s=pace.retention_every_s),
                    Chore("proofs", care.erasures, every_s=_PROOFS_EVERY_S),
                    Chore("person log", care.log, every_s=_LOG_EVERY_S),
                )
                await until_signal(
                    {
                        "broker": link.run(),
                        "keeper": run_keeper(keeper, link, database.tenants, pace, watch, chores),
                        "beat": _beat(watch.health, link),
                    }
                )
        finally:
            vault.close()


async def _beat(health: Health, link: MqttClient) -> None:
    while True:
        health.beat()
        health.report("broker", ok=link.connected)
        await asyncio.sleep(_BEAT_S)
