"""When does somebody stand at the till? One table, with times on both sides so that it does not flap.

A passer-by is no customer (`open_after_ms`), and a customer who bends down for a child has not left
(`close_after_ms`). A camera or model that cannot say counts as nobody there: a customer is not invented,
and one who was there is let go of after the same time.
"""

from dataclasses import dataclass
from enum import StrEnum


class PresenceState(StrEnum):
    """What the till believes."""

    EMPTY = "empty"
    ARRIVING = "arriving"
    PRESENT = "present"
    LEAVING = "leaving"


class Reading(StrEnum):
    """One look at the newest picture."""

    SOMEBODY = "somebody"
    NOBODY = "nobody"
    UNKNOWN = "unknown"  # camera away, no model, or the model failed

    @classmethod
    def of(cls, somebody: bool | None) -> "Reading":  # noqa: FBT001 - the agent's own answer, three-valued
        """The reading for what `Agent.somebody` answers."""
        if somebody is None:
            return cls.UNKNOWN
        return cls.SOMEBODY if somebody else cls.NOBODY


class Action(StrEnum):
    """What to do about it."""

    NONE = "none"
    OPEN = "open"
    CLOSE = "close"


class Wait(StrEnum):
    """How long a state must have lasted before a step is taken."""

    AT_ONCE = "at-once"
    OPEN_AFTER = "open-after"
    CLOSE_AFTER = "close-after"


@dataclass(frozen=True, slots=True)
class Step:
    """One cell of the table."""

    to: PresenceState
    wait: Wait = Wait.AT_ONCE
    action: Action = Action.NONE


_E, _A, _P, _L = PresenceState.EMPTY, PresenceState.ARRIVING, PresenceState.PRESENT, PresenceState.LEAVING
_OPEN = Step(_P, Wait.OPEN_AFTER, Action.OPEN)
_CLOSE = Step(_E, Wait.CLOSE_AFTER, Action.CLOSE)

TABLE: dict[tuple[PresenceState, Reading], Step] = {
    (_E, Reading.SOMEBODY): Step(_A),
    (_E, Reading.NOBODY): Step(_E),
    (_E, Reading.UNKNOWN): Step(_E),
    (_A, Reading.SOMEBODY): _OPEN,
    (_A, Reading.NOBODY): Step(_E),
    (_A, Reading.UNKNOWN): Step(_E),
    (_P, Reading.SOMEBODY): Step(_P),
    (_P, Reading.NOBODY): Step(_L),
    (_P, Reading.UNKNOWN): Step(_L),
    (_L, Reading.SOMEBODY): Step(_P),
    (_L, Reading.NOBODY): _CLOSE,
    (_L, Reading.UNKNOWN): _CLOSE,
}


@dataclass(frozen=True, slots=True)
class Presence:
    """A state and the time at which it began, in milliseconds of a clock that only grows."""

    state: PresenceState = PresenceState.EMPTY
    since_ms: int = 0

    def observe(
        self, reading: Reading, now_ms: int, *, open_after_ms: int, close_after_ms: int
    ) -> tuple["Presence", Action]:
        """The state after one more look, and what to do.

        Steps follow one another while they may be taken, so that waits of zero act at the first look; no
        reading leads round in a circle, so at most one action comes out.
        """
        waits_ms = {Wait.AT_ONCE: 0, Wait.OPEN_AFTER: open_after_ms, Wait.CLOSE_AFTER: close_after_ms}
        presence, action = self, Action.NONE
        while True:
            step = TABLE[presence.state, reading]
            if step.to is presence.state or now_ms - presence.since_ms < waits_ms[step.wait]:
                return presence, action
            presence = Presence(step.to, now_ms)
            if step.action is not Action.NONE:
                action = step.action
