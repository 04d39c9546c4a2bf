"""The link against a real broker: what it tells, and that it ends."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING

import pytest

from edge_agent.adapters.uplink.mqtt_link import Address, MqttLink
from edge_agent.uplink.link_events import (
    BrokerRefused,
    Connected,
    Disconnected,
    LinkEvent,
    PubAcked,
    Received,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.builders.mosquitto import Mosquitto

pytestmark = pytest.mark.service

TOPIC = "topscoop/v1/gelateria-sole/till-1/down/receipt"
STATUS = "topscoop/v1/gelateria-sole/till-1/up/status"


class Told:
    """A link and what it told, in order."""

    def __init__(self, port: int) -> None:
        self.heard: queue.Queue[LinkEvent] = queue.Queue()
        address = Address("127.0.0.1", port, "gelateria-sole/till-1", [TOPIC], None)
        self.link = MqttLink(address, lambda: (STATUS, b"gone"))
        self.link.listen(self.heard.put)

    def next(self) -> LinkEvent:
        return self.heard.get(timeout=20)


@pytest.fixture
def told(mosquitto: Mosquitto) -> Iterator[Told]:
    made = Told(mosquitto.port)
    yield made
    made.link.disconnect()
    made.link.wait_closed(20)


def test_a_puback_says_whether_anybody_listens(told: Told) -> None:
    """0x10 is no delivery; what we subscribed to comes back to us."""
    told.link.connect()
    assert isinstance(told.next(), Connected)
    told.link.publish(b"nobody", "topscoop/v1/gelateria-sole/till-1/up/frame", b"x" * 30_000)
    assert told.next() == BrokerRefused(b"nobody", 0x10)
    told.link.publish(b"us", TOPIC, b"hello")
    assert {told.next(), told.next()} == {PubAcked(b"us"), Received(TOPIC, b"hello")}


def test_more_than_the_broker_takes_at_once_waits_here(told: Told) -> None:
    """Mosquitto takes 20 unacknowledged messages; the 21st would end the connection."""
    told.link.connect()
    assert isinstance(told.next(), Connected)
    for number in range(200):
        told.link.publish(number.to_bytes(2), TOPIC, b"x")
    heard = [told.next() for _ in range(400)]
    assert {event.message_id for event in heard if isinstance(event, PubAcked)} == {
        number.to_bytes(2) for number in range(200)
    }


def test_each_attempt_ends_once_t16(mosquitto: Mosquitto) -> None:
    """T16: a broker that is away, that is killed, and a goodbye of ours: one Disconnected each."""
    told = Told(mosquitto.port)
    mosquitto.kill()
    told.link.connect()
    assert isinstance(told.next(), Disconnected)
    mosquitto.start()
    told.link.connect()
    assert isinstance(told.next(), Connected)
    mosquitto.kill()
    assert isinstance(told.next(), Disconnected)
    told.link.publish(b"late", TOPIC, b"x")
    mosquitto.start()
    told.link.connect()
    assert isinstance(told.next(), Connected)
    told.link.disconnect()
    assert told.next() == Disconnected("disconnected by us")
    told.link.wait_closed(20)
    assert told.heard.empty()
