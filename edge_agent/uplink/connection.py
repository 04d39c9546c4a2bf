"""The connection to the broker as a table: which state follows which, and when to try again."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from edge_agent.uplink.delivery_policy import DeliveryPolicy


class State(StrEnum):
    """Where the connection is."""

    WAITING = "waiting"  # for its next attempt
    CONNECTING = "connecting"
    ONLINE = "online"
    CLOSING = "closing"  # the attempt took too long and is being ended


class Step(StrEnum):
    """What moves it."""

    DUE = "due"  # the wait is over
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    OVERDUE = "overdue"  # no answer to the attempt


TABLE: Final[dict[tuple[State, Step], State]] = {
    (State.WAITING, Step.DUE): State.CONNECTING,
    (State.CONNECTING, Step.CONNECTED): State.ONLINE,
    (State.CONNECTING, Step.DISCONNECTED): State.WAITING,
    (State.CONNECTING, Step.OVERDUE): State.CLOSING,
    (State.ONLINE, Step.DISCONNECTED): State.WAITING,
    (State.CLOSING, Step.CONNECTED): State.CLOSING,  # the answer crossed our ending it
    (State.CLOSING, Step.DISCONNECTED): State.WAITING,
}
"""Every step that can happen; any other is a mistake of the link, and an error."""


class Connection:
    """State, attempts and deadline of the connection.

    Args:
        policy: Delays.
        chance: Uniform random numbers, 0 <= x < 1.
    """

    def __init__(self, policy: DeliveryPolicy, chance: Callable[[], float]) -> None:
        self._policy = policy
        self._chance = chance
        self._attempts = 0
        self._online_since_ms = 0
        self.state = State.WAITING
        self.deadline_ms: int | None = None
        """When the next step is due by itself; None before the first tick, online and while closing."""

    def step(self, step: Step, now_ms: int) -> State:
        """Move, and set the deadline; returns the new state.

        Raises:
            ValueError: The table has no such step.
        """
        before = self.state
        if (before, step) not in TABLE:
            raise ValueError(f"a connection that is {before} cannot become {step}")
        self.state = TABLE[before, step]
        self.deadline_ms = None
        if self.state is State.CONNECTING:
            self.deadline_ms = now_ms + self._policy.connect_timeout_ms
        elif self.state is State.ONLINE:
            self._online_since_ms = now_ms
        elif self.state is State.WAITING:
            self._wait(before, now_ms)
        return self.state

    def overdue(self, now_ms: int) -> Step | None:
        """What the clock alone brings about now; starts the clock on the first call."""
        if self.state is State.WAITING and self.deadline_ms is None:
            self.deadline_ms = now_ms + round(self._chance() * self._policy.start_jitter_ms)
        if self.deadline_ms is None or now_ms < self.deadline_ms:
            return None
        return Step.DUE if self.state is State.WAITING else Step.OVERDUE

    def _wait(self, before: State, now_ms: int) -> None:
        if before is State.ONLINE and now_ms - self._online_since_ms >= self._policy.stable_ms:
            self._attempts = 0
        self.deadline_ms = now_ms + self._policy.reconnect_ms(self._attempts, self._chance())
        self._attempts += 1
