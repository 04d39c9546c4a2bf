"""The keeper at a real mosquitto: mutual TLS, its own role, a register's report, and an erasure."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloud.errors import ConfigError
from cloud.privacy.composition import keeper_client
from cloud.privacy.downlink import Downlink
from cloud.privacy.erasure_plan import Source
from cloud.privacy.keeper import Keeper, Stock
from cloud.privacy.keeper_loop import FromThreads, Pace, run_keeper
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
