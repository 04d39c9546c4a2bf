"""A delivery over a spool in virtual time: does what the daemon does, one thing after the other."""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING

from edge_agent.uplink import delivery_events as do
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.spooled import Ending, Write

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_agent.uplink.delivery import Delivery
    from edge_agent.uplink.ports import Spool
    from edge_agent.uplink.spooled import Entry

SPOOL_AGAIN_MS = 1000
"""After the disk refused something."""


class VirtualTime:
    """What happens when; the only clock of a simulated fleet."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._coming: list[tuple[int, int, Callable[[], None]]] = []
        self._number = 0

    def after(self, delay_ms: int, happen: Callable[[], None]) -> None:
        """Let something happen."""
        self._number += 1
        heapq.heappush(self._coming, (self.now_ms + delay_ms, self._number, happen))

    def run(self, until_ms: int) -> None:
        """Let everything happen that is due until then."""
        while self._coming and self._coming[0][0] <= until_ms:
            self.now_ms, _, happen = heapq.heappop(self._coming)
            happen()
        self.now_ms = until_ms


class VirtualUplink:
    """One register's delivery.

    Args:
        delivery: The real one.
        spool: Any spool.
        time: Shared by all that meet each other.
        connect: Called for each attempt; answers by `tell`.
        publish: Called with each message that goes out; answers by `tell`.
        disconnect: Called when an attempt took too long; answers by `tell`.
    """

    def __init__(
        self,
        delivery: Delivery,
        spool: Spool,
        time: VirtualTime,
        *,
        connect: Callable[[], None],
        publish: Callable[[Entry, bytes], None],
        disconnect: Callable[[], None],
    ) -> None:
        self.delivery = delivery
        self.spool = spool
        self.time = time
        self._connect = connect
        self._publish = publish
        self._disconnect = disconnect
        self._wake_at_ms: int | None = None
        self.stopped = False

    def tell(self, first: do.Event) -> None:
        """Something happened; everything that follows at once is done."""
        events = deque([first])
        while events and not self.stopped:
            for action in self.delivery.handle(events.popleft(), self.time.now_ms):
                try:
                    events.extend(self._do(action))
                except SpoolError:
                    self._again(action)
                    if isinstance(action, do.Look):
                        events.append(do.Found(action.lane, action.after, ()))

    def _again(self, action: do.Action) -> None:
        event = do.EraseCame(action.consents) if isinstance(action, do.Erase) else do.SpoolAgain()
        self.time.after(SPOOL_AGAIN_MS, lambda: self.tell(event))

    def _do(self, action: do.Action) -> list[do.Event]:  # noqa: C901 - one case per action
        spool = self.spool
        match action:
            case do.Connect():
                self._connect()
            case do.Look(lane, after, limit):
                return [do.Found(lane, after, spool.candidates(lane, after, limit))]
            case do.Publish(entry):
                message = spool.load(entry.message_id)
                if message is None:
                    return [do.Missing(entry.message_id)]
                self._publish(entry, message)
            case do.End(entry, fate):
                spool.write(Write(endings=(Ending(entry.message_id, fate),)))
            case do.Erase(consents):
                spool.write(Write(erase=consents))
            case do.SetAside(entry, reason):
                spool.set_aside(entry.message_id, reason)
            case do.Release(at_most_bytes):
                if spool.release(at_most_bytes):
                    return [do.SpoolAgain()]
            case do.WakeAt(at_ms):
                self._wake(at_ms)
            case do.Disconnect():
                self._disconnect()
            case do.Ignore():
                pass
        return []

    def _wake(self, at_ms: int) -> None:
        self._wake_at_ms = at_ms

        def tick() -> None:
            if self._wake_at_ms == at_ms:
                self.tell(do.Tick())

        self.time.after(max(0, at_ms - self.time.now_ms), tick)
