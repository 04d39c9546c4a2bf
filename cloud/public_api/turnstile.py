"""Requests are worked at a few at a time, chains let in by turns: who sends too much waits for itself.

A request that only waits for news holds no place: it leaves before it waits, see `Place.leave`.
"""

import asyncio
from collections import OrderedDict, deque
from typing import Final

from cloud.public_api.problems import problem

PLACES: Final = 8
"""More at once would not be done sooner on one core, and would stand in front of a quiet chain's request."""
LINE_MAX: Final = 256
"""Requests of one chain that wait."""


class Place:
    """A place inside; `leave` gives it back, the first time."""

    def __init__(self, turnstile: "Turnstile") -> None:
        self._turnstile: Turnstile | None = turnstile

    def leave(self) -> None:
        """Let the next one in; what follows is waiting, not work."""
        turnstile, self._turnstile = self._turnstile, None
        if turnstile is not None:
            turnstile.let_in()


class Turnstile:
    """Of one event loop.

    Args:
        places: Requests at once.
        line_max: Requests of one chain that may wait.
    """

    def __init__(self, places: int = PLACES, line_max: int = LINE_MAX) -> None:
        self._free = places
        self._line_max = line_max
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(line) for line in self._lines.values())

    async def enter(self, tenant: str) -> Place:
        """Wait for this chain's turn.

        Raises:
            Problem: `too-many-requests`: the chain's line is full.
        """
        if self._free:
            self._free -= 1
            return Place(self)
        line = self._lines.setdefault(tenant, deque())
        if len(line) >= self._line_max:
            raise problem(
                "too-many-requests", "too many requests of this chain wait", headers={"Retry-After": "1"}
            )
        turn = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.let_in()  # its turn came as it went
            elif turn in line:
                line.remove(turn)
                if not line:
                    self._lines.pop(tenant, None)
            raise
        return Place(self)

    def let_in(self) -> None:
        """A place is free: the chain whose turn it is gets it, and goes to the end."""
        while self._lines:
            tenant, line = self._lines.popitem(last=False)
            turn = line.popleft()
            if line:
                self._lines[tenant] = line
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
