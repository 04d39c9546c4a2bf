"""Micro-batches: what came together, of one tenant, tenants in turn."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from cloud.collector.turns import Turns

T = TypeVar("T")


class Batches(Generic[T]):
    """A queue that is read in batches; several tasks may read it.

    Args:
        most: Items of a batch.
        linger_s: How long a batch that is neither full nor alone waits for further items.
        per_tenant: Items that one tenant may have waiting.
        more: Whether further items may come; where none can, nobody waits for them.
    """

    def __init__(
        self, *, most: int, linger_s: float, per_tenant: int, more: Callable[[], bool] = lambda: True
    ) -> None:
        self._turns = Turns[T](per_tenant)
        self._most = most
        self._linger_s = linger_s
        self._more = more
        self._some = asyncio.Event()

    def __len__(self) -> int:
        return len(self._turns)

    def put(self, tenant: str, item: T, *, bounded: bool = True) -> bool:
        """Queue an item; False where the tenant's queue is full and `bounded`."""
        queued = self._turns.put(tenant, item, bounded=bounded)
        if queued:
            self._some.set()
        return queued

    async def batch(self) -> tuple[str, list[T]]:
        """The next tenant and what it has waiting, at least one item."""
        while True:
            await self._some.wait()
            # A single item at an idle collector goes at once: there is nothing to wait for.
            if self._linger_s and 1 < len(self._turns) < self._most and self._more():
                await asyncio.sleep(self._linger_s)
            if len(self._turns) == 0:
                self._some.clear()
                continue
            return self._turns.take(self._most)
