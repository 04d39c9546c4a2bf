"""Rights at a broker that is only a dictionary; the contract suite holds it against mosquitto."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud.broker.dynamic_security import commands
from cloud.broker.errors import BrokerAway
from cloud.broker.ports import SyncReport
from cloud.broker.rights import Rights, desired, register_rights, register_role

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wire_protocol.topics import Identity


class MemoryBroker:
    """`BrokerRights`; `away` makes it unreachable."""

    def __init__(self) -> None:
        start = desired([])
        self.rights = Rights(dict(start.roles), dict(start.clients))
        self.expelled: list[str] = []
        self.away = False

    def admit(self, identity: Identity) -> None:
        self._reach()
        role = register_role(identity)
        self.rights = Rights(
            {**self.rights.roles, role: register_rights(identity)},
            {**self.rights.clients, str(identity): frozenset([role])},
        )

    def expel(self, usernames: Sequence[str]) -> None:
        self._reach()
        self.expelled += usernames
        self.rights = Rights(
            {
                name: role
                for name, role in self.rights.roles.items()
                if name[len("register:") :] not in usernames
            },
            {name: roles for name, roles in self.rights.clients.items() if name not in usernames},
        )

    def sync(self, identities: Iterable[Identity]) -> SyncReport:
        self._reach()
        wanted = desired(identities)
        todo = commands(wanted, self.rights)
        self.rights = wanted
        return SyncReport(
            tuple(f"{one['command']} {one.get('username') or one.get('rolename')}" for one in todo), ()
        )

    def _reach(self) -> None:
        if self.away:
            raise BrokerAway("the broker is away")
