"""A lane for each chain: bounded, few of its requests in work at once, so that it slows nobody but itself."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """Queues by chain, each served by tasks of its own while something waits.

    Args:
        serve: Does one item; must not raise.
        waiting: Items of one chain that may wait.
        at_once: Items of one chain that are in work at the same time.
    """

    def __init__(self, serve: Callable[[T], Awaitable[None]], *, waiting: int, at_once: int) -> None:
        self._serve = serve
        self._waiting = waiting
        self._at_once = at_once
        self._queues: dict[str, deque[T]] = {}
        self._working: dict[str, int] = {}

    def __len__(self) -> int:
        """Items that wait."""
        return sum(len(queue) for queue in self._queues.values())

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is in work."""
        return not self._working

    def put(self, tasks: asyncio.TaskGroup, tenant: str, item: T) -> bool:
        """Queue an item; False where the chain's lane is full.

        Args:
            tasks: That a worker of the lane becomes part of.
            tenant: The chain.
            item: What to serve.
        """
        queue = self._queues.setdefault(tenant, deque())
        if len(queue) >= self._waiting:
            return False
        queue.append(item)
        working = self._working.get(tenant, 0)
        if working < self._at_once:
            self._working[tenant] = working + 1
            tasks.create_task(self._work(tenant, queue), name=f"files {tenant}")
        return True

    async def _work(self, tenant: str, queue: deque[T]) -> None:
        try:
            while queue:
                await self._serve(queue.popleft())
                await asyncio.sleep(0)  # what is answered from memory never waits: the others' turn
        finally:
            self._working[tenant] -= 1
            if not self._working[tenant]:
                del self._working[tenant]
                if not queue:
                    self._queues.pop(tenant, None)
