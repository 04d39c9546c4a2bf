"""What happens on the register, for programs that listen: numbered, resumable, waiting for nobody."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Self

from edge_agent.errors import TooManySubscribersError

RING_EVENTS = 256
"""How far back a subscriber can resume: some minutes of a busy till."""
MAX_BACKLOG_EVENTS = RING_EVENTS + 64
"""A subscriber that is further behind is dropped; one that resumes may begin with the whole ring."""
MAX_SUBSCRIBERS = 32
"""Displays and tills of one register; each holds a connection open."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    id: int
    kind: str
    data: Mapping[str, object]


class Subscription(AsyncIterator[Event]):
    """The events after a point; iteration ends when the subscriber was too slow, or the hub closed."""

    def __init__(self, hub: "EventHub", backlog: list[Event], *, missed: bool) -> None:
        self._hub = hub
        self._backlog = deque(backlog)
        self._wake = asyncio.Event()
        self._ended = False
        self.missed = missed
        """Whether events between the asked-for point and the first one here are lost."""

    async def __anext__(self) -> Event:
        """The next event, waiting for it."""
        while not self._backlog:
            if self._ended:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._backlog.popleft()

    def offer(self, event: Event) -> bool:
        """Take an event; False when the backlog is full and the subscription ends."""
        if len(self._backlog) >= MAX_BACKLOG_EVENTS:
            self.end()
            return False
        self._backlog.append(event)
        self._wake.set()
        return True

    def end(self) -> None:
        """Let the iteration end once what waits has been read."""
        self._ended = True
        self._wake.set()

    def close(self) -> None:
        """Stop listening; may be called twice."""
        self._hub.forget(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class EventHub:
    """An `EventSink` that keeps the last events and hands them on; for the event loop's thread only.

    Args:
        first_id: Number of the first event; the time in milliseconds at the start keeps numbers growing over
            restarts, so that a subscriber of the last run is told that it missed something.
    """

    def __init__(self, *, first_id: int) -> None:
        self._next_id = first_id
        self._first_id = first_id
        self._ring: deque[Event] = deque(maxlen=RING_EVENTS)
        self._subscriptions: set[Subscription] = set()
        self._closed = False
        self.dropped_subscribers = 0

    @property
    def subscribers(self) -> int:
        """How many listen now."""
        return len(self._subscriptions)

    def publish(self, kind: str, data: Mapping[str, object]) -> None:
        """Number the event and hand it to everybody; drops who is too slow."""
        event = Event(self._next_id, kind, data)
        self._next_id += 1
        self._ring.append(event)
        slow = [subscription for subscription in self._subscriptions if not subscription.offer(event)]
        self.dropped_subscribers += len(slow)
        self._subscriptions.difference_update(slow)

    def subscribe(self, last_seen: int | None = None) -> Subscription:
        """Listen from now on, or from the event after `last_seen`.

        Raises:
            TooManySubscribersError: `MAX_SUBSCRIBERS` listen already.
        """
        if len(self._subscriptions) >= MAX_SUBSCRIBERS:
            raise TooManySubscribersError(
                f"{MAX_SUBSCRIBERS} programs listen to the events already",
                remedy="Close displays that nobody looks at; one page needs one connection.",
            )
        backlog = [] if last_seen is None else [event for event in self._ring if event.id > last_seen]
        oldest = self._ring[0].id if self._ring else self._next_id
        # Both ways: what has left the ring, and a number that this run has not reached.
        missed = last_seen is not None and not oldest - 1 <= last_seen < self._next_id
        subscription = Subscription(self, backlog, missed=missed)
        if self._closed:
            subscription.end()
        else:
            self._subscriptions.add(subscription)
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Hand nothing more to this subscription."""
        self._subscriptions.discard(subscription)
        subscription.end()

    def close(self) -> None:
        """End every subscription; the agent is stopping."""
        self._closed = True
        for subscription in list(self._subscriptions):
            self.forget(subscription)
