"""What enrolment asks of the broker."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from wire_protocol.topics import Identity


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a comparison of rights changed, and what it left alone.

    Attributes:
        changes: Commands that were carried out, as `createClient gelato/till-1`.
        foreign: Clients and roles that somebody added by hand.
    """

    changes: tuple[str, ...]
    foreign: tuple[str, ...]


class BrokerRights(Protocol):
    """The rights at the broker; each method raises BrokerAway, or BrokerRefused for an answer of error."""

    def admit(self, identity: Identity) -> None:
        """Give a register its rights; does nothing where it has them."""
        ...

    def expel(self, usernames: Sequence[str]) -> None:
        """Take all rights of these users and drop their live sessions, also of users that are unknown."""
        ...

    def sync(self, identities: Iterable[Identity]) -> SyncReport:
        """Make the rights those of the services and these registers."""
        ...
