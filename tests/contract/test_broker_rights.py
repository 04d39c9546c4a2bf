"""One suite over rights in memory and rights in a real mosquitto."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cloud.broker.control import BrokerControl
from cloud.broker.dynamic_security import commands
from cloud.broker.errors import BrokerAway
from cloud.broker.rights import CONTROL_TOPIC, desired
from cloud.config import MqttConfig
from tests.builders.broker_stack import BrokerStack
from tests.builders.daemon import ReservedPort
from tests.builders.memory_broker import MemoryBroker
from wire_protocol.topics import Identity, Topic, Up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud.broker.ports import BrokerRights

ONE, TWO = Identity("gelato", "till-1"), Identity("gelato", "till-2")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerStack]:
    with BrokerStack(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(params=["memory", "mosquitto"])
def broker(request: pytest.FixtureRequest) -> BrokerRights:
    if request.param == "memory":
        return MemoryBroker()
    control: BrokerControl = request.getfixturevalue("stack").control()
    control.sync([])
    return control


def test_a_fresh_broker_has_the_services_and_nobody_else(broker: BrokerRights) -> None:
    """The file of rights that we write is what a comparison would make."""
    assert broker.sync([]).changes == ()


def test_a_sync_gives_rights_once(broker: BrokerRights) -> None:
    """What is right is left alone."""
    changes = broker.sync([ONE, TWO]).changes
    assert set(changes) == {
        *(f"createRole register:{one}" for one in (ONE, TWO)),
        *(f"createClient {one}" for one in (ONE, TWO)),
    }
    assert broker.sync([ONE, TWO]).changes == ()


def test_a_sync_takes_the_rights_of_who_is_gone_first(broker: BrokerRights) -> None:
    """A revocation waits for nothing else."""
    broker.sync([ONE])
    changes = broker.sync([TWO]).changes
    assert changes[:2] == (f"deleteClient {ONE}", f"deleteRole register:{ONE}")


def test_admitting_is_what_a_sync_would_have_done(broker: BrokerRights) -> None:
    """And admitting again changes nothing."""
    broker.admit(ONE)
    broker.admit(ONE)
    assert broker.sync([ONE]).changes == ()


def test_expelling_leaves_nothing(broker: BrokerRights) -> None:
    """Neither client nor role; who is unknown is expelled without complaint."""
    broker.sync([ONE, TWO])
    broker.expel([str(ONE), "gelato/never-was"])
    assert broker.sync([TWO]).changes == ()


def test_rights_of_many_registers_are_compared_page_by_page(stack: BrokerStack) -> None:
    """More than one answer, more than one message of commands."""
    many = [Identity("gelato", f"till-{number}") for number in range(230)]
    control = stack.control()
    control.sync([])
    assert len(control.sync(many).changes) == 2 * len(many)
    assert control.sync(many).changes == ()
    assert len(control.sync([]).changes) == 2 * len(many)


def test_what_was_tampered_with_is_mended(stack: BrokerStack) -> None:
    """T7: more rights for a role, a denial in it, another role for a client, a disabled one, open default."""
    control = stack.control()
    control.sync([ONE, TWO])
    foreign = {"acltype": "publishClientSend", "topic": "#", "priority": 9, "allow": True}
    stack_commands = [
        {"command": "addRoleACL", "rolename": f"register:{ONE}", **foreign},
        {"command": "addClientRole", "username": str(TWO), "rolename": "service:collector"},
        {"command": "disableClient", "username": "keeper"},
        {"command": "setDefaultACLAccess", "acls": [{"acltype": "subscribe", "allow": True}]},
    ]
    with stack.connect_service("admin") as admin:
        assert admin.publish(CONTROL_TOPIC, json.dumps({"commands": stack_commands}).encode()) == "Success"
    assert set(control.sync([ONE, TWO]).changes) == {
        f"modifyRole register:{ONE}",
        f"modifyClient {TWO}",
        "deleteClient keeper",
        "createClient keeper",
        "setDefaultACLAccess",
    }
    assert control.sync([ONE, TWO]).changes == ()


def test_what_was_added_by_hand_is_named_and_left_alone(stack: BrokerStack) -> None:
    """An operator's client for monitoring outlives every comparison."""
    add = {"commands": [{"command": "createClient", "username": "monitoring"}]}
    with stack.connect_service("admin") as admin:
        admin.publish(CONTROL_TOPIC, json.dumps(add).encode())
    report = stack.control().sync([])
    assert report.foreign == ("monitoring",)
    assert not any("monitoring" in change for change in report.changes)


def test_rights_outlive_a_restart_of_the_broker(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The plugin's file is durable, so a broker that was killed knows everybody again."""
    with BrokerStack(tmp_path_factory.mktemp("cloud")) as stack:
        stack.control().sync([ONE])
        stack.mosquitto.kill()
        stack.mosquitto.start()
        assert stack.control().sync([ONE]).changes == ()
        with stack.connect_register(ONE) as register:
            assert register.publish(str(Topic(ONE, Up.FRAME))) in {"Success", "No matching subscribers"}


def test_a_broker_that_is_away_is_said_to_be(tmp_path_factory: pytest.TempPathFactory) -> None:
    """With what to look at."""
    with ReservedPort() as port, BrokerStack(tmp_path_factory.mktemp("cloud")) as stack:
        nowhere = MqttConfig(host="127.0.0.1", port=port.number)
        with pytest.raises(BrokerAway, match="cannot be reached") as caught:
            BrokerControl(nowhere, stack.pki.service_files("admin")).sync([])
        assert "mosquitto" in caught.value.remedy


def test_only_the_admin_changes_rights(stack: BrokerStack) -> None:
    """T7: another service's certificate is refused."""
    control = BrokerControl(stack.mqtt_config, stack.pki.service_files("collector"))
    with pytest.raises(BrokerAway, match="Not authorized"):
        control.sync([])


def test_the_fake_and_the_plugin_speak_one_language() -> None:
    """Nothing to do between equal rights."""
    assert commands(desired([ONE]), desired([ONE])) == []
