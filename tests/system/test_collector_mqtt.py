"""The services' MQTT client against a real mosquitto, with the rights and certificates of production."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import pytest

from cloud.config import MqttConfig
from cloud.mqtt_client import MqttClient
from daemon.errors import ConfigError
from tests.builders.broker_stack import BrokerStack
from tests.builders.daemon import ReservedPort
from wire_protocol.topics import EVENTS_SHARES, FRAMES_SHARE, Down, Identity, Topic, Up

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.service

IDENTITY = Identity("acme", "till-1")
FRAMES = str(Topic(IDENTITY, Up.FRAME))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerStack]:
    with BrokerStack(tmp_path / "state", [IDENTITY]) as stack:
        yield stack


def collector_link(broker: BrokerStack, service: str = "collector") -> MqttClient:
    return MqttClient(
        broker.mqtt_config,
        broker.pki.service_files(service),
        service=service,
        filters=(FRAMES_SHARE, *EVENTS_SHARES),
        receive_maximum=4,
    )


@contextlib.asynccontextmanager
async def running(link: MqttClient) -> AsyncIterator[None]:
    task = asyncio.get_running_loop().create_task(link.run())
    try:
        async with asyncio.timeout(30):
            await link.ready()
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_messages_come_whole_and_in_order_over_tls(broker: BrokerStack) -> None:
    """Far more than the receive maximum, and more than one TLS record; Nagle's delay is switched off."""
    link = collector_link(broker)
    bodies = [bytes([number]) * 40_000 for number in range(30)]
    async with running(link):
        with broker.connect_register(IDENTITY) as register:
            for body in bodies:
                register._client.publish(FRAMES, body, qos=1)
            got = []
            for _ in bodies:
                async with asyncio.timeout(20):
                    delivery = await link.next()
                got.append(delivery.payload)
                link.acknowledge(delivery)
        assert got == bodies
        assert link._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_who_publishes_much_can_wait_until_it_went_out(broker: BrokerStack) -> None:
    """Nothing waits in our memory then; a connection that is lost keeps nobody waiting."""
    link = MqttClient(
        broker.mqtt_config, broker.pki.service_files("files"), service="files", filters=(), receive_maximum=4
    )
    block = bytes(100_000)
    async with running(link):
        with broker.connect_register(IDENTITY) as register:
            assert register.subscribe(str(Topic(IDENTITY, Down.FILE_BLOCK))) == "Granted QoS 1"
            await link.flushed()
            for _ in range(50):
                link.publish(Topic(IDENTITY, Down.FILE_BLOCK), block)
                async with asyncio.timeout(20):
                    await link.flushed()
                assert link._client is not None
                assert not link._client.want_write()
            got = [await asyncio.to_thread(register.next_message) for _ in range(50)]
            assert {len(message.payload) for message in got} == {100_000}
        for _ in range(200):
            link.publish(Topic(IDENTITY, Down.FILE_BLOCK), block)
        broker.mosquitto.stop()
        async with asyncio.timeout(20):
            await link.flushed()


async def test_without_acknowledgement_the_broker_holds_back(broker: BrokerStack) -> None:
    """The receive maximum bounds what is in work; what is not acknowledged comes again to the next one."""
    link = collector_link(broker)
    with broker.connect_register(IDENTITY) as register:
        async with running(link):
            for number in range(10):
                register._client.publish(FRAMES, bytes([number]), qos=1)
            held = []
            async with asyncio.timeout(20):
                held = [await link.next() for _ in range(4)]
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await link.next()
            link.acknowledge(held[0])
            async with asyncio.timeout(20):
                assert (await link.next()).payload == bytes([4])
    assert [delivery.payload for delivery in held] == [bytes([number]) for number in range(4)]


async def test_a_register_that_publishes_at_qos_0_ends_nobodys_connection(broker: BrokerStack) -> None:
    """Its messages come in without a number to acknowledge, and more of them than may wait are dropped."""
    link = collector_link(broker)
    async with running(link):
        connection = link._connection
        with broker.connect_register(IDENTITY) as register:
            for _ in range(20):
                register._client.publish(FRAMES, b"unnumbered", qos=0)
            register.publish(FRAMES, b"numbered")
            got = []
            async with asyncio.timeout(20):
                while b"numbered" not in got:
                    delivery = await link.next()
                    got.append(delivery.payload)
                    link.acknowledge(delivery)
            # The broker answers after it has read the acknowledgements: none of them was an offence.
            register.publish(FRAMES, b"afterwards")
            async with asyncio.timeout(20):
                assert (await link.next()).payload == b"afterwards"
        assert link._connection == connection


async def test_a_flood_at_qos_0_fills_no_memory(
    broker: BrokerStack, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing holds such a sender back, so what nobody takes in is dropped beyond the receive maximum."""
    link = collector_link(broker)
    async with running(link):
        with broker.connect_register(IDENTITY) as register:
            for _ in range(50):
                register._client.publish(FRAMES, b"unnumbered", qos=0)
            async with asyncio.timeout(20):
                while caplog.text.count("message.dropped") < 46:  # noqa: ASYNC110 - the link tells nobody
                    await asyncio.sleep(0.02)
        assert link._arrived.qsize() == 4


async def test_it_comes_back_after_the_broker_was_killed(broker: BrokerStack) -> None:
    """It subscribes again; a message of the lost connection cannot be acknowledged on the new one (T17)."""
    link = collector_link(broker)
    async with running(link):
        with broker.connect_register(IDENTITY) as register:
            register.publish(FRAMES, b"before")
            async with asyncio.timeout(20):
                old = await link.next()
        broker.mosquitto.kill()
        broker.mosquitto.start()
        async with asyncio.timeout(40):
            while link._connection == old.ticket[0]:  # noqa: ASYNC110 - it tells nobody that it lost one
                await asyncio.sleep(0.05)
            await link.ready()
        with broker.connect_register(IDENTITY) as register:
            register.publish(FRAMES, b"after")
            async with asyncio.timeout(20):
                new = await link.next()
            assert new.payload == b"after"
            acknowledged: list[int] = []
            assert link._client is not None
            link._client.ack = lambda mid, _: acknowledged.append(mid)  # type: ignore[assignment, func-returns-value, return-value, misc]
            link.acknowledge(old)
            assert acknowledged == []
            link.acknowledge(new)
            assert acknowledged == [new.ticket[1]]


async def test_receipts_reach_their_register_alone(broker: BrokerStack) -> None:
    """Published before the acknowledgement, at once."""
    link = collector_link(broker)
    receipts = str(Topic(IDENTITY, Down.RECEIPT))
    async with running(link):
        with broker.connect_register(IDENTITY) as register:
            assert register.subscribe(receipts).startswith("Granted")
            link.publish(Topic(IDENTITY, Down.RECEIPT), b"receipt")
            message = await asyncio.to_thread(register.next_message)
        assert (message.topic, message.payload) == (receipts, b"receipt")


async def test_a_service_that_may_not_subscribe_is_told(broker: BrokerStack) -> None:
    """The keeper's certificate cannot join the collectors' share: 0x87, and what to do (T7)."""
    link = collector_link(broker, "keeper")
    with pytest.raises(ConfigError, match="Not authorized") as caught:
        async with asyncio.timeout(30):
            await link.run()
    assert "broker sync" in caught.value.remedy


async def test_an_absent_broker_is_waited_for() -> None:
    """Publishing and acknowledging meanwhile do nothing, and nothing raises."""
    with ReservedPort() as port:
        link = MqttClient(
            MqttConfig(host="127.0.0.1", port=port.number, tls=False),
            None,
            service="collector",
            filters=(FRAMES_SHARE,),
            receive_maximum=4,
        )
        task = asyncio.get_running_loop().create_task(link.run())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await link.ready()
        link.publish(Topic(IDENTITY, Down.RECEIPT), b"x")
        link.stop_receiving()
        assert not task.done()
        assert not link.connected
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
