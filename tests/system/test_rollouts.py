"""The rollout controller at a real mosquitto: its role, retained orders, reports, a return, a signal."""

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
from cloud.operations.setup import prepare_database
from cloud.rollout.intake import Taken
from cloud.rollout.rollout_loop import Work, run_rollouts
from cloud.rollout.service import rollout_client
from cloud.rollout.tick import Ticked, tick
from cloud.rollout.values import State
from daemon.errors import ConfigError
from tests.builders.broker_stack import BrokerStack
from tests.builders.cloud_database import sqlite_database
from tests.builders.rollout_stage import ANNA, DARIO, TENANT, RolloutStage, good
from tests.builders.wire_messages import lookup
from wire_protocol import envelope
from wire_protocol.errors import TopscoopError
from wire_protocol.fleet_messages import DesiredDown
from wire_protocol.messages import StatusUp
from wire_protocol.topics import Identity, Topic, Up, register_may_subscribe

pytestmark = pytest.mark.service
TILL = Identity(TENANT, "till-0")


class Seen:
    """What a controller's watch was told."""

    def __init__(self) -> None:
        self.taken: asyncio.Queue[Taken] = asyncio.Queue()
        self.moves: asyncio.Queue[str] = asyncio.Queue()
        self.told = asyncio.Event()

    def took(self, taken: Taken) -> None:
        self.taken.put_nowait(taken)

    def ticked(self, ticked: Ticked, seconds: float) -> None:
        assert seconds >= 0
        for _, move in ticked.moves:
            self.moves.put_nowait(move.kind)

    def published(self, count: int) -> None:
        assert count
        self.told.set()

    def went_round(self) -> None: ...

    def failed(self, what: str, error: TopscoopError) -> None:
        raise AssertionError(what) from error


async def _order(stage: RolloutStage, next_message: Callable[[], Any]) -> DesiredDown:
    message = await asyncio.wait_for(asyncio.to_thread(next_message), 30)
    verified = envelope.verify(
        envelope.parse(message.payload, Topic.parse(message.topic)), lookup(stage.fleet_key)
    )
    assert isinstance(verified.payload, DesiredDown)
    return verified.payload


async def test_a_release_reaches_a_register_through_the_broker_and_back(tmp_path: Path) -> None:
    """T28: the order is retained for who connects later; reports move the rollout; a return comes down.

    T9: so does the order that a withdrawal is, by itself.
    """
    with (
        BrokerStack(tmp_path / "state", [TILL]) as broker,
        sqlite_database(tmp_path) as database,
    ):
        stage = RolloutStage(database, count=1)
        rollout = stage.rolled_out()
        seen = Seen()
        link = rollout_client(broker.mqtt_config, broker.pki.service_files("rollout"))
        work = Work(
            stage.intake,
            stage.outbox,
            lambda tenant: tick(database, tenant, stage.now_ms),
            lambda: [TENANT],
            0.05,
        )
        running = [asyncio.create_task(link.run()), asyncio.create_task(run_rollouts(work, link, seen))]
        await asyncio.wait_for(link.ready(), 30)
        await asyncio.wait_for(seen.told.wait(), 30)
        register = broker.connect_register(TILL)  # after the order was published
        for topic in register_may_subscribe(TILL):
            register.subscribe(topic)
        order = await _order(stage, register.messages.get)
        assert (order.generation, order.release, order.rollout) == (1, 1, rollout)
        status = stage.says(
            "till-0", StatusUp(online=True, since=stage.now_ms, agent_version="0.3.0"), Up.STATUS
        )
        report = stage.report("till-0", **good(1, 1))
        register.publish(status.topic, status.payload, retain=True)
        register.publish(report.topic, report.payload)
        register.publish(report.topic, report.payload[:-1] + bytes([report.payload[-1] ^ 1]))
        totals = [0, 0, 0]
        while totals != [1, 1, 1]:
            taken = await asyncio.wait_for(seen.taken.get(), 30)
            totals = [totals[0] + taken.reports, totals[1] + taken.statuses, totals[2] + len(taken.refused)]
        kinds = [await asyncio.wait_for(seen.moves.get(), 30) for _ in range(2)]
        assert kinds == ["stage", "done"]
        await asyncio.to_thread(stage.desk.return_, ANNA, rollout, "sales fell")
        back = await _order(stage, register.messages.get)
        assert (back.generation, back.release, back.digest) == (2, None, None)
        report = stage.report("till-0", **good(2, 2))
        register.publish(report.topic, report.payload)
        assert await asyncio.wait_for(seen.moves.get(), 30) == "returned"
        assert stage.desk.rollout(DARIO, rollout).rollout.state is State.RETURNED
        stage.now_ms += 1000
        await asyncio.to_thread(stage.withdraw, 2)  # nobody does anything else: it runs release 2
        away = await _order(stage, register.messages.get)
        assert (away.generation, away.release) == (3, None)
        for task in running:
            task.cancel()
        for task in running:
            with pytest.raises(asyncio.CancelledError):
                await task
        register.close()


async def test_who_may_not_tell_registers_is_told_at_the_start(tmp_path: Path) -> None:
    """T7: another service's certificate does not let anybody into the controllers' share."""
    with BrokerStack(tmp_path / "state", [TILL]) as broker:
        link = rollout_client(broker.mqtt_config, broker.pki.service_files("collector"))
        with pytest.raises(ConfigError, match="refuses the subscription"):
            await asyncio.wait_for(link.run(), 30)


def test_the_process_starts_says_how_it_is_and_ends_at_a_signal(tmp_path: Path) -> None:
    """`topscoop cloud rollouts run` with everything set up: /readyz and /metrics, SIGTERM, status 0."""
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
[releases]
folder = "{tmp_path}/releases"
[rollout]
health_port = 0
tick_ms = 100
"""
        )
        prepare_database(load_config(config, {}).config.database_url, None, CLOUD)
        with subprocess.Popen(
            [sys.executable, "-m", "topscoop", "cloud", "rollouts", "run", "--config", str(config)],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            watchdog = threading.Timer(60, process.kill)  # a controller that hangs fails the test, and ends
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
            assert set(document["checks"]) == {"loop", "broker", "tick"}
            assert document["status"] == "ready"
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                assert b"topscoop_rollout_tick_seconds" in answer.read()
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            watchdog.cancel()
