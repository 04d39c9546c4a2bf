"""A rollout's states as one table: (state, event) -> state; what is not in it is refused. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from cloud.rollout.errors import NotNow
from cloud.rollout.values import State


class Event(StrEnum):
    """What happens to a rollout: the first are a person's, the others follow from evidence."""

    START = "start"
    PROMOTE = "promote"  # a person moves on, with a reason
    PAUSE = "pause"
    RESUME = "resume"
    RETURN = "return"
    STOP = "stop"  # the chain's emergency stop
    ADVANCE = "advance"  # the stage passed
    COMPLETE = "complete"  # the last stage passed
    FAIL = "fail"  # a gate failed, or the release may not run any more
    SETTLED = "settled"  # every exposed register is back


TABLE: Final[Mapping[tuple[State, Event], State]] = {
    (State.DRAFT, Event.START): State.RUNNING,
    (State.DRAFT, Event.RETURN): State.RETURNED,
    (State.RUNNING, Event.PROMOTE): State.RUNNING,
    (State.RUNNING, Event.ADVANCE): State.RUNNING,
    (State.RUNNING, Event.COMPLETE): State.DONE,
    (State.RUNNING, Event.PAUSE): State.PAUSED,
    (State.RUNNING, Event.FAIL): State.RETURNING,
    (State.RUNNING, Event.STOP): State.RETURNING,
    (State.RUNNING, Event.RETURN): State.RETURNING,
    (State.PAUSED, Event.RESUME): State.RUNNING,
    (State.PAUSED, Event.FAIL): State.RETURNING,
    (State.PAUSED, Event.STOP): State.RETURNING,
    (State.PAUSED, Event.RETURN): State.RETURNING,
    (State.RETURNING, Event.SETTLED): State.RETURNED,
    (State.DONE, Event.RETURN): State.RETURNING,
}

_NEXT: Final[Mapping[State, str]] = {
    State.DRAFT: "It is a draft: start it, or give it up with `return`.",
    State.RUNNING: "It runs: pause, promote or return it.",
    State.PAUSED: "It is paused: resume or return it.",
    State.RETURNING: "It returns; wait until every register is back.",
    State.RETURNED: "It is over; plan another one.",
    State.DONE: "It is done; `return` takes it back.",
}


def after(state: State, event: Event) -> State:
    """The state that follows.

    Raises:
        NotNow: The table has no such event in this state.
    """
    try:
        return TABLE[state, event]
    except KeyError:
        raise NotNow(f"{event} is not possible: the rollout is {state}", remedy=_NEXT[state]) from None


def diagram() -> str:
    """The table as a Mermaid state diagram, for the docs."""
    lines = ["stateDiagram-v2", "    [*] --> draft"]
    pairs: dict[tuple[State, State], list[str]] = {}
    for (state, event), following in TABLE.items():
        pairs.setdefault((state, following), []).append(event)
    lines += [f"    {state} --> {then}: {', '.join(events)}" for (state, then), events in pairs.items()]
    return "\n".join([*lines, "    done --> [*]", "    returned --> [*]"])
