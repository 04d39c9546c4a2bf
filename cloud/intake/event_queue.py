"""What this project asks of a queue of events: a message comes again until it is deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from wire_protocol.errors import OperatorError, TopscoopError


class QueueAway(TopscoopError):
    """The queue does not answer: ask it again."""


class QueueRefused(OperatorError):
    """Address, credentials or rights are wrong."""


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One message; `handle` deletes it."""

    handle: str
    body: bytes


class EventQueue(Protocol):
    """A queue. Both methods block, and may raise `QueueAway` or `QueueRefused`."""

    def receive(self) -> Sequence[QueueMessage]:
        """Up to ten messages; waits a few seconds for the first, and returns none when there is none."""

    def delete(self, handles: Sequence[str]) -> None:
        """These are done; what could not be deleted comes again, and changes nothing."""
