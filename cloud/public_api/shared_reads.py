"""A read of the database that many requests want at the same moment is made once."""

import asyncio
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

Found = TypeVar("Found")


class SharedReads(Generic[Found]):
    """A flood of requests that need the same rows costs one thread and one statement of each event loop."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[Found]] = {}

    async def read(self, key: Hashable, work: Callable[[], Found]) -> Found:
        """What `work` returns or raises, in a thread; who comes meanwhile with the same key gets the same."""
        here = (asyncio.get_running_loop(), key)
        task = self._under_way.get(here)
        if task is None:
            task = self._under_way[here] = asyncio.create_task(run_in_threadpool(work))
            task.add_done_callback(lambda done: self._end(here, done))
        # Who goes away takes nobody's answer along.
        return await asyncio.shield(task)

    def _end(self, key: Hashable, done: "asyncio.Task[Found]") -> None:
        del self._under_way[key]
        if not done.cancelled():
            done.exception()  # heard by whoever still waits; nobody needs to
