"""The grammar of MQTT topics: `topscoop/v1/{tenant}/{register}/{up|down}/{kind}`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from wire_protocol.errors import RefusedMessage
from wire_protocol.identifiers import is_name
from wire_protocol.reasons import Reason

ROOT: Final = "topscoop/v1"
COMMON_NAME_MAX: Final = 64
"""Characters of a certificate's common name (RFC 5280, ub-common-name)."""


class Up(StrEnum):
    """Kinds of messages from a register."""

    FRAME = "frame"
    CONSENT = "consent"
    WITHDRAWAL = "withdrawal"
    INTERACTION = "interaction"
    OUTCOME = "outcome"
    REPORT = "report"
    STATUS = "status"  # retained, and the last will
    FILE_REQUEST = "file-request"
    NOTICE = "notice"  # what customers are asked, for phones to show


class Down(StrEnum):
    """Kinds of messages to a register."""

    RECEIPT = "receipt"
    BLANKS = "blanks"
    ERASE = "erase"
    DESIRED = "desired"  # retained
    FILE_BLOCK = "file-block"
    HANDOVER = "handover"


Kind = Up | Down

RECEIPTED: Final = frozenset({Up.FRAME, Up.CONSENT, Up.WITHDRAWAL, Up.INTERACTION, Up.OUTCOME})
"""What the register spools until the collector's receipt; the other kinds are only of use when new."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One register of one tenant, as its client certificate's common name has it.

    Raises:
        ValueError: A part is no name, or both together are too long for a common name.
    """

    tenant: str
    register: str

    def __post_init__(self) -> None:
        """Check both parts."""
        if not (is_name(self.tenant) and is_name(self.register)):
            raise ValueError(f"{self.tenant!r}/{self.register!r} are no names of a tenant and a register")
        if len(self.common_name) > COMMON_NAME_MAX:
            raise ValueError(f"{self.common_name} is longer than {COMMON_NAME_MAX} characters")

    @property
    def common_name(self) -> str:
        """The certificate's subject, the broker's user name and client id."""
        return f"{self.tenant}/{self.register}"

    @classmethod
    def parse(cls, common_name: str) -> Self:
        """The identity that a common name spells; raises ValueError."""
        tenant, slash, register = common_name.partition("/")
        if not slash:
            raise ValueError(f"{common_name!r} is not tenant/register")
        return cls(tenant, register)

    def __str__(self) -> str:
        return self.common_name


@dataclass(frozen=True, slots=True)
class Topic:
    """Where a message goes, or came in."""

    identity: Identity
    kind: Kind

    def __str__(self) -> str:
        direction = "up" if isinstance(self.kind, Up) else "down"
        return f"{ROOT}/{self.identity.tenant}/{self.identity.register}/{direction}/{self.kind}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The topic that `text` spells.

        Raises:
            RefusedMessage: `bad-topic`.
        """
        try:
            topscoop, version, tenant, register, direction, kind = text.split("/")
            kinds = _DIRECTIONS[topscoop, version, direction]
            return cls(Identity(tenant, register), kinds(kind))
        except (ValueError, KeyError) as error:
            raise RefusedMessage(Reason.BAD_TOPIC, f"{text[:120]!r} is no topic of {ROOT}") from error


_DIRECTIONS: Final[dict[tuple[str, ...], type[Up] | type[Down]]] = {
    (*ROOT.split("/"), "up"): Up,
    (*ROOT.split("/"), "down"): Down,
}


def register_may_publish(identity: Identity) -> tuple[str, ...]:
    """Every topic that a register may publish to; nothing else."""
    return tuple(str(Topic(identity, kind)) for kind in Up)


def register_may_subscribe(identity: Identity) -> tuple[str, ...]:
    """Every filter that a register may subscribe to; nothing else."""
    return tuple(str(Topic(identity, kind)) for kind in Down)


FRAMES_SHARE: Final = f"$share/frames/{ROOT}/+/+/up/{Up.FRAME}"
"""What collectors subscribe to for frames; many bytes, so apart from the small kinds."""
EVENTS_SHARES: Final = tuple(
    f"$share/{kind}/{ROOT}/+/+/up/{kind}" for kind in (Up.CONSENT, Up.WITHDRAWAL, Up.INTERACTION, Up.OUTCOME)
)
"""What collectors subscribe to for the small kinds. Each has a share's name of its own: MQTT tells shares
apart by name and filter, but some brokers by the name alone.
"""
KEEPER_SHARES: Final = (
    f"$share/keeper/{ROOT}/+/+/up/{Up.REPORT}",
    f"$share/keeper-notices/{ROOT}/+/+/up/{Up.NOTICE}",
)
"""What the keeper of consent keys subscribes to: a report tells how many blanks are left, a notice what
phones are to show. Names of their own, as those of the collectors.
"""
ROLLOUT_SHARES: Final = (f"$share/rollout/{ROOT}/+/+/up/{Up.REPORT}",)
"""What rollout controllers subscribe to; reports reach the keeper by its own share."""
FILES_SHARES: Final = (f"$share/files/{ROOT}/+/+/up/{Up.FILE_REQUEST}",)
"""What the file service subscribes to."""
STATUS_FILTER: Final = f"{ROOT}/+/+/up/{Up.STATUS}"
DOWN_FILTER: Final = f"{ROOT}/+/+/down/+"
"""What services publish to."""
