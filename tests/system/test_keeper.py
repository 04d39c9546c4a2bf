"""The keeper at a real mosquitto: mutual TLS, its own role, a register's report, and an erasure."""

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloud.config_sources import load_config
from cloud.database.schema_version import CLOUD
from cloud.operations.setup import SetUp, prepare_database
from cloud.privacy.composition import keeper_client, set_up_keys
from cloud.privacy.downlink import Downlink
from cloud.privacy.erasure_plan import Source
from cloud.privacy.keeper import Keeper, Stock
from cloud.privacy.keeper_loop import FromThreads, Pace, run_keeper
from cloud.privacy.web_stock import WEB_BLANKS
from daemon.errors import ConfigError
from tests.builders.broker_stack import BrokerStack
from tests.builders.privacy_stage import Stage
from tests.builders.wire_messages import CONSENT_KEY, IDENTITY, NOW_MS, REGISTER, TENANT, lookup
from wire_protocol import envelope
from wire_protocol.errors import TopscoopError
from wire_protocol.messages import BlanksDown, EraseDown, Payload
from wire_protocol.reasons import Reason
from wire_protocol.topics import Topic, register_may_subscribe

pytestmark = pytest.mark.service


class Seen:
    """What the keeper's watch was told."""

    def __init__(self) -> None:
        self.refusals: asyncio.Queue[str] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def did(self, what: str, count: int) -> None: ...

    def went_round(self, what: str) -> None: ...

    def refused(self, reason: str) -> None:
        self.refusals.put_nowait(reason)

    def failed(self, what: str, error: TopscoopError) -> None:
        raise AssertionError(what) from error


def _payload(message: Any) -> Payload:
    topic = Topic.parse(message.topic)
    return envelope.verify(envelope.parse(message.payload, topic), lookup(CONSENT_KEY)).payload


async def _within(call: Callable[[], Any]) -> Any:
    return await asyncio.wait_for(asyncio.to_thread(call), 30)


async def test_a_report_brings_blanks_and_a_withdrawal_brings_the_order_to_erase(tmp_path: Path) -> None:
    """T25: through the real broker, a register that reports is given blanks and told what ended."""
    with BrokerStack(tmp_path / "state", [IDENTITY]) as broker:
        stage = Stage(tmp_path)
        given = stage.consent()
        stage.receive(given)
        register = broker.connect_register(IDENTITY)
        for topic in register_may_subscribe(IDENTITY):
            register.subscribe(topic)
        seen = Seen()
        link = keeper_client(broker.mqtt_config, broker.pki.service_files("keeper"))
        downlink = Downlink(FromThreads(link, asyncio.get_running_loop()), lambda _: CONSENT_KEY, stage.time)
        keeper = Keeper(
            stage.records,
            stage.vault,
            stage.eraser,
            downlink,
            stock=Stock(blanks=300, days=90),
            clock=stage.time,
        )
        running = [
            asyncio.create_task(link.run()),
            asyncio.create_task(run_keeper(keeper, link, stage.records.tenants, Pace(0.05, 0.05), seen)),
        ]
        await asyncio.wait_for(link.ready(), 30)
        register.publish(*stage.report(left=0, wanted=3))
        blanks = _payload(await _within(register.messages.get))
        assert isinstance(blanks, BlanksDown)
        assert len(blanks.blanks) == 3
        topic, forged = stage.report(left=0, wanted=9)
        register.publish(topic, forged[:-1] + bytes([forged[-1] ^ 1]))
        assert await asyncio.wait_for(seen.refusals.get(), 30) == Reason.BAD_SIGNATURE
        stage.records.withdraw(TENANT, given.consent, Source.CUSTOMER, NOW_MS, actor="customer")
        assert _payload(await _within(register.messages.get)) == EraseDown((given.consent,))
        for task in running:
            task.cancel()
        for task in running:
            with pytest.raises(asyncio.CancelledError):
                await task
        assert stage.versions(given) == []
        assert len(stage.vault.live(TENANT, REGISTER, 0)) == 3
        register.close()
        stage.close()


async def test_who_may_not_read_reports_is_told_at_the_start(tmp_path: Path) -> None:
    """T7: another service's certificate does not let anybody into the keeper's share."""
    with BrokerStack(tmp_path / "state", [IDENTITY]) as broker:
        link = keeper_client(broker.mqtt_config, broker.pki.service_files("collector"))
        with pytest.raises(ConfigError, match="refuses the subscription"):
            await asyncio.wait_for(link.run(), 30)


def test_the_process_starts_says_how_it_is_and_ends_at_a_signal(tmp_path: Path) -> None:
    """`topscoop cloud keeper run` with everything set up: /readyz, then SIGTERM and status 0."""
    with BrokerStack(tmp_path / "state") as broker:
        config = tmp_path / "cloud.toml"
        config.write_text(
            f"""
environment = "development"
state_dir = "{tmp_path}/state"
[master_key]
kind = "file"
[mqtt]
host = "127.0.0.1"
port = {broker.services_port}
[keeper]
health_port = 0
"""
        )
        loaded = load_config(config, {}).config
        prepare_database(loaded.database_url, None, CLOUD)
        set_up_keys(SetUp(loaded, NOW_MS))
        with subprocess.Popen(
            [sys.executable, "-c", _RUN, str(config)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            watchdog = threading.Timer(60, process.kill)  # a keeper that hangs fails the test, and ends
            watchdog.start()
            port = int(process.stdout.readline().rsplit(" ", 1)[1])
            document: dict[str, Any] = {}
            for _ in range(300):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                        document = json.load(answer)
                        break
                except urllib.error.HTTPError:
                    time.sleep(0.1)  # not ready yet
            chores = {WEB_BLANKS, "handovers", "old handovers", "proofs", "person log"}
            assert set(document["checks"]) == {"loop", "broker", "erasure", "retention"} | chores
            assert document["status"] == "ready"
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            watchdog.cancel()


_RUN = """
import argparse, sys
from cloud.commands import keeper
parser = argparse.ArgumentParser()
keeper.add_parser(parser.add_subparsers())
args = parser.parse_args(["keeper", "run", "--config", sys.argv[1]])
sys.exit(args.run(args))
"""
