"""Commands between two states of the broker's rights."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cloud.broker.dynamic_security import (
    Command,
    batches,
    commands,
    file_text,
    kick,
    parse_client,
    parse_role,
    removal,
)
from cloud.broker.rights import Operation, Right, Rights, desired
from wire_protocol.topics import Identity

rights_of_one = st.frozensets(
    st.builds(Right, st.sampled_from(Operation), st.sampled_from("xyz")), max_size=3
)
role_names, client_names = st.sampled_from(["r1", "r2", "r3"]), st.sampled_from(["a/b", "a/c", "admin"])
wanted_states = st.builds(
    Rights,
    st.dictionaries(role_names, rights_of_one),
    st.dictionaries(client_names, st.frozensets(role_names)),
)
present_states = st.builds(
    Rights,
    st.dictionaries(role_names, st.none() | rights_of_one),
    st.dictionaries(client_names, st.none() | st.frozensets(role_names)),
)


class Plugin:
    """The plugin, as far as our commands need it; refuses what the real one refuses."""

    def __init__(self, state: Rights) -> None:
        self.roles: dict[str, Any] = dict(state.roles)
        self.clients: dict[str, Any] = dict(state.clients)

    def do(self, todo: Sequence[Command]) -> None:
        for command in todo:
            getattr(self, command["command"])(command)

    def createRole(self, command: Command) -> None:  # noqa: N802 - the plugin's own name
        assert command["rolename"] not in self.roles
        self.roles[command["rolename"]] = parse_role(command)[1]

    def modifyRole(self, command: Command) -> None:  # noqa: N802
        assert command["rolename"] in self.roles
        self.roles[command["rolename"]] = parse_role(command)[1]

    def deleteRole(self, command: Command) -> None:  # noqa: N802
        del self.roles[command["rolename"]]

    def createClient(self, command: Command) -> None:  # noqa: N802
        assert command["username"] not in self.clients
        self.clients[command["username"]] = parse_client(command)[1]

    def modifyClient(self, command: Command) -> None:  # noqa: N802
        assert command["username"] in self.clients
        self.clients[command["username"]] = parse_client(command)[1]

    def deleteClient(self, command: Command) -> None:  # noqa: N802
        del self.clients[command["username"]]


@given(wanted_states, present_states)
def test_the_commands_lead_to_what_is_wanted(wanted: Rights, present: Rights) -> None:
    """From any state, and there is nothing to do afterwards."""
    plugin = Plugin(present)
    plugin.do(commands(wanted, present))
    assert (plugin.roles, plugin.clients) == (wanted.roles, wanted.clients)
    assert commands(wanted, Rights(plugin.roles, plugin.clients)) == []


@given(wanted_states, present_states)
def test_whoever_is_gone_goes_first(wanted: Rights, present: Rights) -> None:
    """T1: before anything else is written."""
    done = [one["command"] for one in commands(wanted, present)]
    gone = len(present.clients.keys() - wanted.clients.keys())
    assert done[:gone] == ["deleteClient"] * gone


def test_the_file_says_what_the_commands_would() -> None:
    """A broker that starts with it needs no comparison."""
    rights = desired([Identity("gelato", "till-1")])
    data = json.loads(file_text(rights))
    found = Rights(dict(map(parse_role, data["roles"])), dict(map(parse_client, data["clients"])))
    assert commands(rights, found) == []
    assert data["defaultACLAccess"]["subscribe"] is False
    assert "password" not in file_text(rights)


def test_a_denial_or_a_foreign_kind_in_a_role_is_noticed() -> None:
    """Such a role is written anew."""
    good = Right(Operation.PUBLISH, "x").acl()
    assert parse_role({"rolename": "r", "acls": [good]})[1] is not None
    for bad in ({**good, "allow": False}, {**good, "acltype": "subscribePattern"}):
        assert parse_role({"rolename": "r", "acls": [good, bad]})[1] is None


def test_a_client_that_is_disabled_or_in_a_group_is_noticed() -> None:
    """Such a client is made anew."""
    assert parse_client({"username": "a", "roles": [{"rolename": "r"}]})[1] == {"r"}
    assert parse_client({"username": "a", "disabled": True})[1] is None
    assert parse_client({"username": "a", "groups": [{"groupname": "g"}]})[1] is None


def test_batches_keep_the_order_and_the_limit() -> None:
    """Nothing is lost, and no message is larger than the broker takes."""
    todo = [{"command": "deleteClient", "username": f"gelato/till-{number}"} for number in range(1000)]
    found = list(batches(todo, 4096))
    assert [one for batch in found for one in batch] == todo
    assert max(len(json.dumps(batch)) for batch in found) < 4096 + 2 * len(todo[0]) * 100
    assert len(found) > 10
    assert list(batches([])) == []


def test_removing_takes_client_and_role_and_kicking_leaves_nothing() -> None:
    """A kicked user is known for an instant only."""
    assert [one["command"] for one in removal("a/b")] == ["deleteClient", "deleteRole"]
    plugin = Plugin(Rights({}, {}))
    plugin.do(kick("a/b"))
    assert plugin.clients == {}
