"""The uplink: enrolled, keys closed to others, certificate, broker, spool, blanks. Changes nothing."""

import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge_agent.adapters.checks.api import agent_runs
from edge_agent.adapters.clock import SystemClock
from edge_agent.adapters.running_agent import AgentNotAskedError
from edge_agent.adapters.uplink import key_files
from edge_agent.adapters.uplink.assembly import spool_path
from edge_agent.adapters.uplink.key_files import Credentials, IdentityError
from edge_agent.adapters.uplink.mqtt_link import pinned_context
from edge_agent.adapters.uplink.spool_door import open_door
from edge_agent.adapters.uplink.spool_sqlite import SqliteSpool
from edge_agent.checkup import Finding, Verdict
from edge_agent.config import EdgeConfig
from edge_agent.uplink.checkup import judge_blanks, judge_certificate, judge_cloud_time, judge_spool
from edge_agent.uplink.cloud_clock import SETTING as CLOCK_SETTING
from edge_agent.uplink.cloud_clock import CloudClock
from edge_agent.uplink.errors import SpoolError
from wire_protocol.errors import TopscoopError

BROKER_TIMEOUT_S: Final = 5.0
_MIB: Final = 1 << 20
_ENROL: Final = "Run `topscoop edge enrol` as the agent's user."


def check_uplink(config: EdgeConfig) -> Iterator[Finding]:
    """Every finding, from what the others need to what takes longest."""
    folder = config.data_dir / key_files.FOLDER
    if not key_files.is_enrolled(folder):
        yield Finding("uplink", Verdict.FAILED, "this register is not enrolled", _ENROL)
        return
    try:
        credentials = key_files.load(folder)
    except IdentityError as error:
        yield Finding("uplink", Verdict.FAILED, str(error), error.remedy)
        return
    yield _identity(config, credentials)
    yield _modes(folder)
    now_ms = SystemClock().now_ms()
    yield judge_certificate(credentials.life, now_ms)
    yield from _spool(config, credentials, now_ms)
    yield check_broker(credentials)


def check_broker(credentials: Credentials) -> Finding:
    """Whether the broker answers over TLS, under its name and authority, and takes our certificate."""
    place = credentials.place
    where = f"{place.broker_host}:{place.broker_port}"
    try:
        context = pinned_context(*map(str, (credentials.ca, credentials.certificate, credentials.tls_key)))
        with (
            socket.create_connection((place.broker_host, place.broker_port), BROKER_TIMEOUT_S) as plain,
            context.wrap_socket(plain, server_hostname=place.broker_host) as secure,
        ):
            return Finding("broker", Verdict.OK, f"{where} answers, {secure.version()}")
    except ssl.SSLCertVerificationError as error:
        said = f"{where} is not believed: {error.verify_message}"
        return Finding("broker", Verdict.FAILED, said, "Check this till's clock, then tell your operator.")
    except ssl.SSLError as error:
        said = f"{where} refuses: {error.reason or error}"
        return Finding("broker", Verdict.FAILED, said, "The certificate may be over or revoked: enrol again.")
    except OSError as error:
        return Finding(
            "broker",
            Verdict.WARNING,
            f"{where} does not answer: {error}",
            "Recommendations go on and records wait; check the network.",
        )


def _of_running_agent(config: EdgeConfig) -> Iterator[Finding]:
    """Its spool is its own: it is asked."""
    try:
        found = open_door(config).status()
        free = shutil.disk_usage(config.data_dir).free
    except (AgentNotAskedError, OSError) as error:
        yield Finding("spool", Verdict.WARNING, str(error), "Run this as the agent's user.")
        return
    lanes = found["lanes"].values()
    yield judge_spool(
        messages=sum(lane["spooled"] for lane in lanes),
        used_bytes=found["used_bytes"],
        max_bytes=config.uplink.max_mb * _MIB,
        free_bytes=free,
        aside=sum(sum(lane["set_aside"].values()) for lane in lanes),
    )
    yield judge_blanks(found["blanks_left"])


def _identity(config: EdgeConfig, credentials: Credentials) -> Finding:
    place = credentials.place
    said = f"enrolled as {place.identity} of store {place.store}"
    if (place.identity.tenant, place.identity.register, place.store) != (
        config.tenant,
        config.register,
        config.store,
    ):
        return Finding(
            "uplink",
            Verdict.FAILED,
            f"{said}, the configuration says {config.tenant}/{config.register} of {config.store}",
            "Correct the configuration, or enrol again under the new name.",
        )
    return Finding("uplink", Verdict.OK, said)


def _modes(folder: Path) -> Finding:
    if others := key_files.open_to_others(folder):
        return Finding(
            "keys",
            Verdict.FAILED,
            f"others may read {', '.join(path.name for path in others)}",
            f"chmod 700 {folder} and chmod 600 {folder}/*.",
        )
    return Finding("keys", Verdict.OK, "for the agent's user only")


def _spool(config: EdgeConfig, credentials: Credentials, now_ms: int) -> Iterator[Finding]:
    path = spool_path(config.data_dir)
    if agent_runs(config.data_dir):
        yield from _of_running_agent(config)
        return
    if not path.exists():
        yield Finding("spool", Verdict.OK, "not made yet")
        return
    spool = SqliteSpool(path, SystemClock())
    try:
        stats = spool.stats()
        clock = CloudClock.of(spool.setting(CLOCK_SETTING), credentials.place.server_time_ms)
        free = shutil.disk_usage(path.parent).free
        yield judge_spool(
            messages=sum(lane.account.spooled for lane in stats.lanes.values()),
            used_bytes=stats.used_bytes,
            max_bytes=config.uplink.max_mb * _MIB,
            free_bytes=free,
            aside=sum(sum(lane.set_aside.values()) for lane in stats.lanes.values()),
        )
        yield judge_blanks(spool.blanks_left(clock.now_ms(now_ms)))
        yield judge_cloud_time(now_ms=now_ms, floor_ms=clock.floor_ms, behind=clock.is_behind(now_ms))
    except (SpoolError, OSError) as error:
        remedy = error.remedy if isinstance(error, TopscoopError) else "Look at the disk."
        yield Finding("spool", Verdict.FAILED, str(error), remedy)
    finally:
        spool.close()
