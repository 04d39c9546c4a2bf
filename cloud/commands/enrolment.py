"""`topscoop cloud enrolment run`: the service that lets registers in and keeps certificates and rights."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud.config import CloudConfig
    from cloud.database.engine import Database
    from cloud.enrolment.ports import FirstBlanks


def add_parser(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `enrolment` to `topscoop cloud`."""
    enrolment = verbs.add_parser("enrolment", help="the service that lets registers in", description=__doc__)
    actions = enrolment.add_subparsers(title="commands", metavar="COMMAND", required=True)
    run_parser = actions.add_parser(
        "run",
        help="serve until it is told to stop",
        description="HTTPS for registers that enrol or renew; keeps certificates, the list of revoked "
        "registers and the broker's rights up to date.",
    )
    run_parser.add_argument("--config", metavar="FILE", help="configuration (TOML)")
    run_parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    import asyncio

    from cloud.broker.composition import open_control
    from cloud.broker.configuration import FOLDER_NAME
    from cloud.clock import now_ms
    from cloud.config_sources import config_of
    from cloud.database.engine import open_database
    from cloud.enrolment import server as service
    from cloud.enrolment.enrol import EnrolmentOffice
    from cloud.enrolment.http_api import Desk, build_app
    from cloud.enrolment.pki_folder import PkiFolder
    from cloud.enrolment.set_up import server_hosts
    from cloud.enrolment.upkeep import Upkeep
    from cloud.health import Health, HealthServer
    from cloud.http_server import bind
    from cloud.stand_ins import check_stand_ins
    from daemon import event_log

    config = config_of(args)
    event_log.set_up(config.log.format, config.log.level)
    check_stand_ins(config)
    database = open_database(config.database_url)
    database.check()
    pki, hosts = PkiFolder(config.state_dir), server_hosts(config)
    broker = open_control(config)
    office = EnrolmentOffice(
        database,
        pki.registers,
        broker,
        _first_blanks(config, database),
        certificate_days=config.enrolment.certificate_days,
    )
    metrics, health = service.EnrolmentMetrics(), Health("certificates", "broker")
    app = build_app(Desk(office, pki.registers, pki.services, config.enrolment, now_ms))
    socket = bind(config.enrolment.host, config.enrolment.port, section="enrolment")
    with HealthServer(health, metrics.registry, config.health.host, config.enrolment.health_port) as probe:
        host, port = socket.getsockname()[:2]
        print(f"enrolment listens on https://{host}:{port}, health on port {probe.port}", flush=True)
        server = service.HttpsServer(metrics.counted(app), [socket], pki.server_files())
        upkeep = Upkeep(database, pki, broker, config.state_dir / FOLDER_NAME, hosts)
        asyncio.run(service.run_service(server, upkeep, metrics, health, now_ms))
    database.close()
    return 0


def _first_blanks(config: "CloudConfig", database: "Database") -> "FirstBlanks":
    import logging

    from cloud.enrolment.ports import NoBlanks
    from cloud.enrolment.vault_blanks import VaultBlanks
    from cloud.privacy.composition import open_vault
    from cloud.privacy.keeper import Stock
    from cloud.privacy.records import Records
    from cloud.service_keys import Purpose, ServiceKeyFolder
    from daemon.log_fields import fields
    from wire_protocol.errors import TopscoopError

    try:
        vault = open_vault(config)
    except TopscoopError as error:
        # Registers are let in all the same; the keeper sends them blanks after their first report.
        log = logging.getLogger(__name__)
        log.warning("blanks.delayed", extra=fields(register="all", error=str(error)))
        return NoBlanks()
    keys = ServiceKeyFolder(config.state_dir)
    return VaultBlanks(
        vault,
        Records(database).given,
        lambda tenant: keys.load(tenant, Purpose.CONSENT),
        Stock(config.keeper.stock_blanks, config.keeper.blank_days),
    )
