"""The language of mosquitto's dynamic security plugin: its file, its answers, its commands."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cloud.broker.rights import DEFAULT_ACCESS, REGISTER_ROLE, Operation, Right, Rights

Command = dict[str, Any]

BATCH_MAX_BYTES: Final = 64 * 1024
"""Of commands in one MQTT message; the broker takes messages up to `max_packet_size`."""


def file_text(rights: Rights) -> str:
    """The plugin's own file, for a broker that has none yet; afterwards the broker writes it."""
    return json.dumps(
        {
            "defaultACLAccess": dict(DEFAULT_ACCESS),
            "clients": [
                {"username": name, "roles": _role_list(roles)}
                for name, roles in sorted(rights.clients.items())
            ],
            "groups": [],
            "roles": [{"rolename": name, "acls": _acls(role)} for name, role in sorted(rights.roles.items())],
        },
        indent=1,
    )


def parse_role(data: Mapping[str, Any]) -> tuple[str, frozenset[Right] | None]:
    """A role as `listRoles` shows it; rights are None where it holds what we would never write."""
    acls = data.get("acls", [])
    plain = [acl for acl in acls if acl.get("allow") and acl.get("acltype") in set(Operation)]
    rights = frozenset(Right(Operation(acl["acltype"]), acl["topic"]) for acl in plain)
    return data["rolename"], rights if len(rights) == len(acls) else None


def parse_client(data: Mapping[str, Any]) -> tuple[str, frozenset[str] | None]:
    """A client as `listClients` shows it; roles are None where it is disabled or in a group."""
    roles = frozenset(role["rolename"] for role in data.get("roles", []))
    return data["username"], None if data.get("disabled") or data.get("groups") else roles


def commands(wanted: Rights, present: Rights) -> list[Command]:
    """What turns `present` into `wanted`; first what takes rights away: a revocation waits for nothing.

    Args:
        wanted: From `rights.desired`.
        present: What the broker has now, without what others manage (`Rights.managed`).
    """
    gone_clients = sorted(present.clients.keys() - wanted.clients.keys())
    gone_roles = sorted(present.roles.keys() - wanted.roles.keys())
    return [
        *({"command": "deleteClient", "username": name} for name in gone_clients),
        *({"command": "deleteRole", "rolename": name} for name in gone_roles),
        *_changed_roles(wanted, present),
        *_changed_clients(wanted, present),
    ]


def removal(username: str) -> list[Command]:
    """Take a register out, with its role and its live session; the broker may know neither."""
    return [
        {"command": "deleteClient", "username": username},
        {"command": "deleteRole", "rolename": f"{REGISTER_ROLE}{username}"},
    ]


def kick(username: str) -> list[Command]:
    """Drop every session of a user who has no rights any more.

    Dynamic security drops sessions only of clients that it knows, so the user becomes one, with no role, for
    an instant.
    """
    return [
        {"command": "createClient", "username": username},
        {"command": "deleteClient", "username": username},
    ]


def batches(todo: Sequence[Command], limit_bytes: int = BATCH_MAX_BYTES) -> Iterator[list[Command]]:
    """The commands in order, as many at once as fit one message."""
    batch: list[Command] = []
    size = 0
    for command in todo:
        length = len(json.dumps(command))
        if batch and size + length > limit_bytes:
            yield batch
            batch, size = [], 0
        batch.append(command)
        size += length
    if batch:
        yield batch


def _changed_roles(wanted: Rights, present: Rights) -> Iterator[Command]:
    for name, rights in sorted(wanted.roles.items()):
        if name not in present.roles:
            yield {"command": "createRole", "rolename": name, "acls": _acls(rights)}
        elif present.roles[name] != rights:
            yield {"command": "modifyRole", "rolename": name, "acls": _acls(rights)}


def _changed_clients(wanted: Rights, present: Rights) -> Iterator[Command]:
    for name, roles in sorted(wanted.clients.items()):
        has = present.clients.get(name, frozenset())
        if name in present.clients and has is None:
            # Disabled, or in a group that is none of ours: made anew rather than mended.
            yield {"command": "deleteClient", "username": name}
        if name not in present.clients or has is None:
            yield {"command": "createClient", "username": name, "roles": _role_list(roles)}
        elif has != roles:
            yield {"command": "modifyClient", "username": name, "roles": _role_list(roles)}


def _acls(rights: frozenset[Right] | None) -> list[dict[str, Any]]:
    return [right.acl() for right in sorted(rights or ())]


def _role_list(roles: frozenset[str] | None) -> list[dict[str, str]]:
    return [{"rolename": name} for name in sorted(roles or ())]
