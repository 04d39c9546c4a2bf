"""Micro-batches: what came together, of one tenant, tenants in turn."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from cloud.collector.turns import Turns

T = TypeVar("T")

_SHARE: Final = 8
"""A batch waits for company an eighth of what messages take: few wait long where all wait long anyhow."""
_MEMORY: Final = 16
"""Messages over which the time that they take is averaged."""


class Pace:
    """How long messages take at present, and so how long a batch may wait for company.

    Over a slow store hundreds of messages are in work and come back one by one: a transaction for each would
    cost more than all the rest. Where nothing is slow, next to nothing is waited.

    Args:
        longest_s: A batch never waits longer.
    """

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._usual_s = 0.0

    def took(self, ms: int) -> None:
        """A message was answered so long after it came."""
        self._usual_s += (max(0, ms) / 1000 - self._usual_s) / _MEMORY

    @property
    def linger_s(self) -> float:
        """How long a batch may wait."""
        return min(self._longest_s, self._usual_s / _SHARE)


class Batches(Generic[T]):
    """A queue that is read in batches; several tasks may read it.

    Args:
        most: Items of a batch.
        pace: How long a batch waits for further items.
        per_tenant: Items that one tenant may have waiting.
        more: Whether further items may come; where none can, nobody waits for them.
    """

    def __init__(self, *, most: int, pace: Pace, per_tenant: int, more: Callable[[], bool]) -> None:
        self._turns = Turns[T](per_tenant)
        self._most = most
        self._pace = pace
        self._more = more
        self._some = asyncio.Event()
        self._enough = asyncio.Event()

    def __len__(self) -> int:
        return len(self._turns)

    def put(self, tenant: str, item: T, *, bounded: bool = True) -> bool:
        """Queue an item; False where the tenant's queue is full and `bounded`."""
        queued = self._turns.put(tenant, item, bounded=bounded)
        if queued:
            self._some.set()
            if self._is_enough():
                self._enough.set()
        return queued

    async def batch(self) -> tuple[str, list[T]]:
        """The next tenant and what it has waiting, at least one item."""
        while True:
            await self._some.wait()
            await self._company()
            if len(self._turns) == 0:
                self._some.clear()
                continue
            return self._turns.take(self._most)

    async def _company(self) -> None:
        """Wait for further items, as long as it is worth it."""
        linger_s = self._pace.linger_s
        if linger_s == 0 or len(self._turns) == 0 or self._is_enough():
            return
        self._enough.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(linger_s):
                await self._enough.wait()

    def _is_enough(self) -> bool:
        return len(self._turns) >= self._most or not self._more()
