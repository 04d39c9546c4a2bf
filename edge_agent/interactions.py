"""The life of an interaction, as one table; and those of the last minutes, by id."""

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

MAX_OPEN = 256
"""Customers that one register can be busy with; the oldest is let go beyond."""
MAX_CLOSED = 1024
"""Ended ones that are remembered for repetitions and latecomers; older ones are in the journal."""


class State(StrEnum):
    """Where an interaction is."""

    OPENED = "opened"
    DISPLAYED = "displayed"
    BOUGHT = "bought"
    EXPIRED = "expired"


class Event(StrEnum):
    """What can happen to it."""

    DISPLAY = "display"
    BUY = "buy"
    EXPIRE = "expire"


class InvalidTransitionError(ValueError):
    """The table has no such step."""


TRANSITIONS = {
    (State.OPENED, Event.DISPLAY): State.DISPLAYED,
    (State.OPENED, Event.BUY): State.BOUGHT,
    (State.OPENED, Event.EXPIRE): State.EXPIRED,
    (State.DISPLAYED, Event.DISPLAY): State.DISPLAYED,  # a reloaded page says it again
    (State.DISPLAYED, Event.BUY): State.BOUGHT,
    (State.DISPLAYED, Event.EXPIRE): State.EXPIRED,
    (State.BOUGHT, Event.DISPLAY): State.BOUGHT,  # told late; the journal keeps both times
    (State.BOUGHT, Event.BUY): State.BOUGHT,  # two receipts for one customer
    (State.BOUGHT, Event.EXPIRE): State.BOUGHT,  # the customer leaves with the ice cream
    (State.EXPIRED, Event.BUY): State.BOUGHT,  # slow customer
    (State.EXPIRED, Event.EXPIRE): State.EXPIRED,  # person and till both let go
}
"""What is not listed cannot happen: what is over is shown no more."""


def step(state: State, event: Event) -> State:
    """The next state.

    Raises:
        InvalidTransitionError: The table has no such step.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise InvalidTransitionError(f"an interaction that is {state} cannot {event}") from None


@dataclass(slots=True)
class Interaction:
    """One interaction in memory."""

    opened_ns: int
    state: State = State.OPENED


class Interactions:
    """The interactions of the last minutes; bounded, and emptied by `expire`."""

    def __init__(self, *, lifetime_ns: int) -> None:
        self._lifetime_ns = lifetime_ns
        self._open: OrderedDict[UUID, Interaction] = OrderedDict()
        self._closed: OrderedDict[UUID, Interaction] = OrderedDict()

    @property
    def open_count(self) -> int:
        """How many are waiting for a purchase."""
        return len(self._open)

    def open(self, interaction_id: UUID, now_ns: int) -> tuple[UUID, ...]:
        """Begin one; returns those that had to be let go for it."""
        self._open[interaction_id] = Interaction(now_ns)
        evicted = []
        while len(self._open) > MAX_OPEN:
            oldest = next(iter(self._open))
            self.apply(oldest, Event.EXPIRE)
            evicted.append(oldest)
        return tuple(evicted)

    def find(self, interaction_id: UUID) -> Interaction | None:
        """The interaction, or None if it was never opened here or is long over."""
        return self._open.get(interaction_id) or self._closed.get(interaction_id)

    def apply(self, interaction_id: UUID, event: Event) -> State:
        """Let something happen to an interaction in memory.

        Raises:
            KeyError: It is not in memory.
            InvalidTransitionError: The table has no such step; nothing changed.
        """
        interaction = self.find(interaction_id)
        if interaction is None:
            raise KeyError(interaction_id)
        interaction.state = step(interaction.state, event)
        if interaction.state in {State.BOUGHT, State.EXPIRED} and interaction_id in self._open:
            del self._open[interaction_id]
            self._closed[interaction_id] = interaction
            if len(self._closed) > MAX_CLOSED:
                self._closed.popitem(last=False)
        return interaction.state

    def expire(self, now_ns: int) -> tuple[UUID, ...]:
        """End those whose time is over; returns their ids, oldest first."""
        over = []
        for interaction_id, interaction in self._open.items():
            if now_ns - interaction.opened_ns < self._lifetime_ns:
                break
            over.append(interaction_id)
        for interaction_id in over:
            self.apply(interaction_id, Event.EXPIRE)
        return tuple(over)
