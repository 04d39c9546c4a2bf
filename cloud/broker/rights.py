"""Who may do what at the broker, from the grammar of topics: one role per register, one per service.

mosquitto 2.0's dynamic security does not expand `%u`, so each register has a role of its own. What is not
granted is denied, receiving included: a second wall behind the subscription's own check.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from wire_protocol import topics
from wire_protocol.topics import ROOT, Down, Identity, Up

COLLECTOR: Final = "collector"
KEEPER: Final = "keeper"
ROLLOUT: Final = "rollout"
FILES: Final = "files"
ADMIN: Final = "admin"
CONTROL_TOPIC: Final = "$CONTROL/dynamic-security/v1"
RESPONSE_TOPIC: Final = f"{CONTROL_TOPIC}/response"

REGISTER_ROLE: Final = "register:"
_SERVICE_ROLE: Final = "service:"


class Operation(StrEnum):
    """Dynamic security's names for what a client does."""

    PUBLISH = "publishClientSend"
    RECEIVE = "publishClientReceive"
    SUBSCRIBE = "subscribeLiteral"  # this filter, letter by letter; no other that it would cover


DEFAULT_ACCESS: Final[Mapping[str, bool]] = {
    "publishClientSend": False,
    "publishClientReceive": False,
    "subscribe": False,
    "unsubscribe": True,
}
"""For whatever no role mentions."""


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One operation on one topic or filter."""

    operation: Operation
    topic: str

    def acl(self) -> dict[str, Any]:
        """As dynamic security writes it."""
        return {"acltype": str(self.operation), "topic": self.topic, "priority": 0, "allow": True}


@dataclass(frozen=True, slots=True)
class Rights:
    """All roles and who has which.

    Attributes:
        roles: Role name -> its rights; None for a role whose list holds anything that we would not write.
        clients: User name -> names of its roles; None for a client that is disabled or otherwise not ours.
    """

    roles: Mapping[str, frozenset[Right] | None]
    clients: Mapping[str, frozenset[str] | None]

    def managed(self) -> "Rights":
        """Without what an operator added by hand, such as a client for monitoring."""
        return Rights(
            {
                name: rights
                for name, rights in self.roles.items()
                if name.startswith((REGISTER_ROLE, _SERVICE_ROLE))
            },
            {name: roles for name, roles in self.clients.items() if "/" in name or name in _SERVICES},
        )


def register_role(identity: Identity) -> str:
    """The name of a register's role."""
    return f"{REGISTER_ROLE}{identity}"


def register_rights(identity: Identity) -> frozenset[Right]:
    """What one register may: publish its own messages upwards, hear those that go down to it."""
    down = topics.register_may_subscribe(identity)
    return frozenset(
        [
            *(Right(Operation.PUBLISH, topic) for topic in topics.register_may_publish(identity)),
            *(Right(Operation.SUBSCRIBE, topic) for topic in down),
            *(Right(Operation.RECEIVE, topic) for topic in down),
        ]
    )


def desired(identities: Iterable[Identity]) -> Rights:
    """The rights of the services and of these registers, and nobody else's."""
    registers = list(identities)
    return Rights(
        roles={_SERVICE_ROLE + name: rights for name, rights in _SERVICES.items()}
        | {register_role(identity): register_rights(identity) for identity in registers},
        clients={name: frozenset([_SERVICE_ROLE + name]) for name in _SERVICES}
        | {str(identity): frozenset([register_role(identity)]) for identity in registers},
    )


def _up(kind: Up) -> str:
    return f"{ROOT}/+/+/up/{kind}"


def _down(kind: Down) -> str:
    return f"{ROOT}/+/+/down/{kind}"


def _reads(filters: Iterable[str], kinds: Iterable[Up]) -> list[Right]:
    return [
        *(Right(Operation.SUBSCRIBE, text) for text in filters),
        *(Right(Operation.RECEIVE, _up(kind)) for kind in kinds),
    ]


_SERVICES: Final[Mapping[str, frozenset[Right]]] = {
    COLLECTOR: frozenset(
        [
            *_reads(
                [topics.FRAMES_SHARE, *topics.EVENTS_SHARES],
                [Up.FRAME, Up.CONSENT, Up.WITHDRAWAL, Up.INTERACTION, Up.OUTCOME],
            ),
            Right(Operation.PUBLISH, _down(Down.RECEIPT)),
        ]
    ),
    KEEPER: frozenset(
        [
            *_reads([*topics.KEEPER_SHARES, topics.STATUS_FILTER], [Up.REPORT, Up.NOTICE, Up.STATUS]),
            Right(Operation.PUBLISH, _down(Down.BLANKS)),
            Right(Operation.PUBLISH, _down(Down.ERASE)),
            Right(Operation.PUBLISH, _down(Down.HANDOVER)),
        ]
    ),
    ROLLOUT: frozenset(
        [
            *_reads([*topics.ROLLOUT_SHARES, topics.STATUS_FILTER], [Up.REPORT, Up.STATUS]),
            Right(Operation.PUBLISH, _down(Down.DESIRED)),
        ]
    ),
    FILES: frozenset(
        [
            *_reads(topics.FILES_SHARES, [Up.FILE_REQUEST]),
            Right(Operation.PUBLISH, _down(Down.FILE_BLOCK)),
        ]
    ),
    ADMIN: frozenset(
        [
            Right(Operation.PUBLISH, CONTROL_TOPIC),
            Right(Operation.SUBSCRIBE, RESPONSE_TOPIC),
            Right(Operation.RECEIVE, RESPONSE_TOPIC),
            Right(Operation.SUBSCRIBE, "$SYS/#"),
            Right(Operation.RECEIVE, "$SYS/#"),
        ]
    ),
}
"""Each service by its certificate's common name; the admin decides about rights and reads no message."""
