"""T7: every operation of a register and of a service, from the grammar of topics, at a real mosquitto."""

from __future__ import annotations

import contextlib
import queue
from itertools import product
from typing import TYPE_CHECKING

import pytest

from cloud.broker.rights import CONTROL_TOPIC, RESPONSE_TOPIC
from cloud.enrolment.pki_folder import PkiFolder
from tests.builders.broker_stack import HOSTS, BrokerClient, BrokerStack, now_ms
from wire_protocol.topics import (
    EVENTS_SHARES,
    FILES_SHARES,
    FRAMES_SHARE,
    KEEPER_SHARES,
    ROLLOUT_SHARES,
    ROOT,
    STATUS_FILTER,
    Down,
    Identity,
    Topic,
    Up,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.service

OWN = Identity("gelato", "till-1")
NEIGHBOUR = Identity("gelato", "till-2")
NAMESAKE = Identity("ghiaccio", "till-1")
LONGER = Identity("gelato", "till-11")  # its name begins with ours
EVERYBODY = (OWN, NEIGHBOUR, NAMESAKE, LONGER)
KINDS = (*Up, *Down)

DENIED = "Not authorized"  # 0x87
GRANTED = "Granted QoS 1"
DONE = {"Success", "No matching subscribers"}

SHARES = (FRAMES_SHARE, *EVENTS_SHARES, *KEEPER_SHARES, *ROLLOUT_SHARES, *FILES_SHARES)
WILDCARDS = (
    "#",
    "+/#",
    "topscoop/#",
    f"{ROOT}/#",
    f"{ROOT}/+/+/up/+",
    f"{ROOT}/+/+/down/+",
    f"{ROOT}/gelato/#",
    f"{ROOT}/gelato/+/down/receipt",
    f"{ROOT}/+/till-1/down/receipt",
    f"{ROOT}/{OWN}/#",
    f"{ROOT}/{OWN}/down/#",
    f"{ROOT}/{OWN}/down/+",
    f"{ROOT}/{OWN}/up/#",
    STATUS_FILTER,
    *(f"{ROOT}/+/+/up/{kind}" for kind in Up),
    *SHARES,
    f"$share/mine/{ROOT}/+/+/up/frame",
    f"$share/frames/{Topic(NEIGHBOUR, Down.RECEIPT)}",
    f"$share/mine/{Topic(OWN, Down.RECEIPT)}",
    f"$share/mine/{ROOT}/#",
    "$SYS/#",
    "$SYS/broker/version",
    "$SYS/broker/clients/+",
    "$CONTROL/#",
    CONTROL_TOPIC,
    RESPONSE_TOPIC,
)
FOREIGN_TOPICS = (
    "anything",
    f"{ROOT}/{OWN}/up",
    f"{ROOT}/{OWN}/up/nothing",
    f"{ROOT}/{OWN}/up/frame/more",
    f"topscoop/v2/{OWN}/up/frame",
    CONTROL_TOPIC,
    RESPONSE_TOPIC,
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerStack]:
    with BrokerStack(tmp_path_factory.mktemp("cloud"), EVERYBODY) as running:
        yield running


@pytest.fixture
def register(stack: BrokerStack) -> Iterator[BrokerClient]:
    with stack.connect_register(OWN) as client:
        assert client.refused == ""
        yield client


def test_a_register_publishes_upwards_as_itself_and_nothing_else(register: BrokerClient) -> None:
    """T7: each kind of every register, kept and not kept."""
    for identity, kind, retain in product(EVERYBODY, KINDS, (False, True)):
        answer = register.publish(str(Topic(identity, kind)), retain=retain)
        allowed = identity == OWN and isinstance(kind, Up)
        assert answer in (DONE if allowed else {DENIED}), f"{identity} {kind} retain={retain}: {answer}"
        if retain and allowed:
            register.publish(str(Topic(identity, kind)), b"", retain=True)


@pytest.mark.parametrize("topic", FOREIGN_TOPICS)
def test_a_register_publishes_nowhere_outside_the_grammar(register: BrokerClient, topic: str) -> None:
    """T7: the topics that change rights among them."""
    assert register.publish(topic) == DENIED


def test_a_register_hears_what_is_for_it_and_nothing_else(register: BrokerClient) -> None:
    """T7: the exact topic of each kind of every register."""
    for identity, kind in product(EVERYBODY, KINDS):
        answer = register.subscribe(str(Topic(identity, kind)))
        allowed = identity == OWN and isinstance(kind, Down)
        assert answer == (GRANTED if allowed else DENIED), f"{identity} {kind}: {answer}"


@pytest.mark.parametrize("topic_filter", WILDCARDS)
def test_a_register_subscribes_to_no_wildcard_and_no_share(register: BrokerClient, topic_filter: str) -> None:
    """T7: joining the collectors' share would swallow other tenants' messages; nor its own by share."""
    assert register.subscribe(topic_filter) == DENIED


def test_a_will_at_anybody_elses_topic_never_comes(stack: BrokerStack) -> None:
    """T7: mosquitto 2.0 accepts the connection and drops the will when its time has come."""
    with contextlib.ExitStack() as readers:
        collector = readers.enter_context(stack.connect_service("collector"))
        keeper = readers.enter_context(stack.connect_service("keeper"))
        files = readers.enter_context(stack.connect_service("files"))
        for share in FILES_SHARES:
            files.subscribe(share)
        for share in (FRAMES_SHARE, *EVENTS_SHARES):
            collector.subscribe(share)
        for topic_filter in (*KEEPER_SHARES, STATUS_FILTER):
            keeper.subscribe(topic_filter)
        others = {one: readers.enter_context(stack.connect_register(one)) for one in EVERYBODY[1:]}
        for one, kind in product(others, Down):
            others[one].subscribe(str(Topic(one, kind)))
        for identity, kind in product(EVERYBODY, KINDS):
            if identity != OWN or isinstance(kind, Down):
                with stack.connect_register(OWN, will=(str(Topic(identity, kind)), b"will", False)) as client:
                    client.vanish()
        # Who comes back under the same name has outlived the session before, and its will.
        with stack.connect_register(OWN) as register:
            register.publish(str(Topic(OWN, Up.FRAME)), b"fence")
            register.publish(str(Topic(OWN, Up.REPORT)), b"fence")
            register.publish(str(Topic(OWN, Up.FILE_REQUEST)), b"fence")
            for one in others:
                collector.publish(str(Topic(one, Down.RECEIPT)), b"fence")
            for reader in (collector, keeper, files, *others.values()):
                assert reader.next_message().payload == b"fence"


def test_a_will_comes_when_its_register_vanishes(stack: BrokerStack) -> None:
    """The status that a register leaves behind reaches the keeper."""
    topic = str(Topic(OWN, Up.STATUS))
    with stack.connect_service("keeper") as keeper:
        assert keeper.subscribe(STATUS_FILTER) == GRANTED
        with stack.connect_register(OWN, will=(topic, b"offline", True)) as client:
            client.vanish()
        message = keeper.next_message()
        assert (message.topic, message.payload) == (topic, b"offline")
    with stack.connect_register(OWN) as client:  # what is kept would meet the next test
        client.publish(topic, b"", retain=True)


def test_what_is_allowed_arrives_and_what_is_denied_does_not(stack: BrokerStack) -> None:
    """T7: the collector gets the register's own frames, and none in anybody else's name."""
    with stack.connect_service("collector") as collector, stack.connect_register(OWN) as register:
        assert [collector.subscribe(share) for share in (FRAMES_SHARE, *EVENTS_SHARES)] == [GRANTED] * 5
        assert register.subscribe(str(Topic(OWN, Down.RECEIPT))) == GRANTED
        for identity in (NEIGHBOUR, NAMESAKE, LONGER):
            assert register.publish(str(Topic(identity, Up.FRAME)), b"forged") == DENIED
        for kind in (Up.FRAME, Up.CONSENT, Up.WITHDRAWAL, Up.INTERACTION, Up.OUTCOME):
            assert register.publish(str(Topic(OWN, kind)), b"own") == "Success"
            message = collector.next_message()
            assert (message.topic, message.payload) == (str(Topic(OWN, kind)), b"own")
        assert collector.publish(str(Topic(NEIGHBOUR, Down.RECEIPT)), b"for another") in DONE
        assert collector.publish(str(Topic(OWN, Down.RECEIPT)), b"for us") == "Success"
        assert register.next_message().payload == b"for us"
        with pytest.raises(queue.Empty):
            collector.messages.get_nowait()


SERVICES = {
    "collector": ({FRAMES_SHARE, *EVENTS_SHARES}, {Down.RECEIPT}),
    "keeper": ({*KEEPER_SHARES, STATUS_FILTER}, {Down.BLANKS, Down.ERASE, Down.HANDOVER}),
    "rollout": ({*ROLLOUT_SHARES, STATUS_FILTER}, {Down.DESIRED}),
    "files": ({*FILES_SHARES}, {Down.FILE_BLOCK}),
    "admin": ({RESPONSE_TOPIC, "$SYS/#"}, set()),
    "stranger": (set(), set()),
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_does_its_work_and_nothing_else(stack: BrokerStack, service: str) -> None:
    """T7: each filter and each topic; a certificate that no role knows may do nothing at all."""
    filters, kinds = SERVICES[service]
    with stack.connect_service(service) as client:
        assert client.refused == ""
        for topic_filter in {*WILDCARDS, *(str(Topic(OWN, kind)) for kind in KINDS)}:
            expected = GRANTED if topic_filter in filters else DENIED
            assert client.subscribe(topic_filter) == expected, topic_filter
        for identity, kind in product(EVERYBODY, KINDS):
            answer = client.publish(str(Topic(identity, kind)))
            assert answer in (DONE if kind in kinds else {DENIED}), f"{kind}: {answer}"
        if service != "admin":
            assert client.publish(CONTROL_TOPIC, b'{"commands": []}') == DENIED


@pytest.mark.parametrize("name", [str(OWN), str(NEIGHBOUR), "collector-1"])
def test_nobody_takes_over_anothers_session(stack: BrokerStack, name: str) -> None:
    """T7: a client id or user name of somebody else changes nothing; the certificate says who it is."""
    with (
        stack.connect_register(OWN) as victim,
        stack.connect_service("collector", client_id="collector-1") as collector,
        stack.connect_register(LONGER, client_id=name, username=name) as thief,
    ):
        assert thief.refused == ""
        assert thief.publish(str(Topic(OWN, Up.FRAME))) == DENIED
        assert thief.subscribe(str(Topic(OWN, Down.RECEIPT))) == DENIED
        assert thief.publish(str(Topic(LONGER, Up.FRAME))) in DONE
        assert victim.publish(str(Topic(OWN, Up.FRAME))) in DONE
        assert not victim.ended.is_set()
        assert collector.publish(str(Topic(OWN, Down.RECEIPT))) in DONE
        assert not collector.ended.is_set()


def test_two_collectors_work_under_one_certificate(stack: BrokerStack) -> None:
    """Client ids of services are free, so that collectors can be scaled."""
    with (
        stack.connect_service("collector", client_id="one") as one,
        stack.connect_service("collector", client_id="two") as two,
    ):
        assert one.subscribe(FRAMES_SHARE) == two.subscribe(FRAMES_SHARE) == GRANTED
        assert not one.ended.is_set()


def test_certificates_of_one_listener_are_nothing_to_the_other(
    stack: BrokerStack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """T7: nor is the server's own, nor one of another authority with the right name in it."""
    another = PkiFolder(tmp_path_factory.mktemp("another"))
    another.prepare(HOSTS, now_ms())
    forged = another.service_files("admin")
    mixed = type(forged)(stack.pki.services_certificate, forged.certificate, forged.key)
    server = stack.pki.server_files()
    as_client = type(server)(stack.pki.services_certificate, server.certificate, server.key)
    attempts = {
        "register at the services'": (stack.services_port, stack.register_files(str(OWN))),
        "service at the registers'": (stack.registers_port, stack.service_files("admin")),
        "register's name by the services' authority": (stack.registers_port, stack.service_files(str(OWN))),
        "another authority": (stack.services_port, mixed),
        "server as a client": (stack.services_port, as_client),
    }
    for name, (port, files) in attempts.items():
        with BrokerClient(port, files) as client:
            assert client.refused, name
