"""How much is in work: the collector takes nothing in while it has its hands full."""

import asyncio

from cloud.collector.limits import Limits


class InFlight:
    """Messages that were taken in and are not acknowledged, bounded by number and bytes."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.messages = 0
        self.bytes = 0
        self._room = asyncio.Event()
        self._none = asyncio.Event()
        self._measure()

    async def room(self) -> None:
        """Wait until one more may be taken in."""
        await self._room.wait()

    @property
    def full(self) -> bool:
        """Whether nothing more may be taken in."""
        return not self._room.is_set()

    async def none(self) -> None:
        """Wait until all is done."""
        await self._none.wait()

    def enter(self, size: int) -> None:
        """One message of `size` bytes was taken in."""
        self.messages += 1
        self.bytes += size
        self._measure()

    def leave(self, size: int) -> None:
        """One was acknowledged."""
        self.messages -= 1
        self.bytes -= size
        self._measure()

    def _measure(self) -> None:
        full = self.messages >= self._limits.in_flight or self.bytes >= self._limits.in_flight_bytes
        for event, is_so in ((self._room, not full), (self._none, self.messages == 0)):
            if is_so:
                event.set()
            else:
                event.clear()
