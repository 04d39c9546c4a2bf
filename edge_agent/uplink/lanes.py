"""Which messages go first."""

from enum import IntEnum
from typing import Final

from wire_protocol.topics import Up


class Lane(IntEnum):
    """A queue of the spool; the smaller its number, the sooner it is delivered."""

    WITHDRAWALS = 0  # somebody wants something undone: before all else
    CONSENTS = 1  # what a person agreed to
    EVENTS = 2  # interactions and outcomes: what measurement lives on
    FRAMES = 3  # the many bytes

    @property
    def label(self) -> str:
        """The lane's name in counters, logs and tables: `frames`."""
        return self.name.lower()


LANE_OF: Final[dict[Up, Lane]] = {
    Up.WITHDRAWAL: Lane.WITHDRAWALS,
    Up.CONSENT: Lane.CONSENTS,
    Up.INTERACTION: Lane.EVENTS,
    Up.OUTCOME: Lane.EVENTS,
    Up.FRAME: Lane.FRAMES,
}
"""Every kind that is spooled; a report or a status is only of use when new."""
