"""Opens and closes interactions by itself: one look at a low pace, one step of the table."""

import asyncio
import logging
from typing import Protocol
from uuid import UUID

from daemon.log_fields import fields
from edge_agent.config import PresenceConfig
from edge_agent.impression import Impression
from edge_agent.ports import Clock, EventSink
from edge_agent.presence import Action, Presence, PresenceState, Reading

log = logging.getLogger(__name__)

_NS_PER_MS = 1_000_000


class PresenceAgent(Protocol):
    """What presence needs of the agent."""

    def somebody(self) -> bool | None:
        """Whether somebody stands there; None where nobody can say."""

    def open_interaction(self) -> Impression:
        """Recommend to whoever stands there."""

    def close_interaction(self, interaction_id: UUID) -> None:
        """The customer left."""


class PresenceWatch:
    """Holds at most one open interaction: the one of whoever stands there."""

    def __init__(
        self, agent: PresenceAgent, *, config: PresenceConfig, clock: Clock, events: EventSink
    ) -> None:
        self._agent = agent
        self._config = config
        self._clock = clock
        self._events = events
        self._presence = Presence()
        self._open: UUID | None = None

    @property
    def state(self) -> PresenceState:
        """What the till believes now."""
        return self._presence.state

    def look(self) -> Impression | None:
        """Look once and do what the table says; the recommendation when an interaction was opened."""
        reading = Reading.of(self._agent.somebody())
        before = self._presence.state
        self._presence, action = self._presence.observe(
            reading,
            self._clock.monotonic_ns() // _NS_PER_MS,
            open_after_ms=self._config.open_after_ms,
            close_after_ms=self._config.close_after_ms,
        )
        impression = self._act(action)
        if self._presence.state is not before:
            self._tell(reading)
        return impression

    def _act(self, action: Action) -> Impression | None:
        match action:
            case Action.OPEN:
                impression = self._agent.open_interaction()
                self._open = impression.interaction_id
                return impression
            case Action.CLOSE:
                assert self._open is not None, "the table closes only what it opened"
                self._agent.close_interaction(self._open)
                self._open = None
        return None

    def _tell(self, reading: Reading) -> None:
        facts = {
            "state": self._presence.state.value,
            "reading": reading.value,
            "interaction_id": None if self._open is None else str(self._open),
        }
        log.debug("presence.changed", extra=fields(**facts))
        self._events.publish("presence", facts)


async def watch_presence(watch: PresenceWatch, *, check_every_ms: int) -> None:
    """Look until cancelled; a task on the event loop, which each look keeps for one recommendation."""
    while True:
        watch.look()
        await asyncio.sleep(check_every_ms / 1000)
