"""Arrivals for the event loop: sources tell, threads ask the store and the database, so many at once."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Final

from cloud.intake.arrivals import Arrivals, Arrived, Source
from cloud.intake.values import ObjectPlace

AT_ONCE: Final = 8
"""Objects that a process asks about at the same time; each takes a connection of the database's pool."""


class Hearing:
    """What the sources of a process share.

    Args:
        arrivals: Does it.
        threads: `AT_ONCE` of them.
    """

    def __init__(self, arrivals: Arrivals, threads: Executor) -> None:
        self._arrivals = arrivals
        self._threads = threads

    async def heard(self, places: Sequence[ObjectPlace], source: Source) -> list[Arrived]:
        """As `Arrivals.heard`, for each of them; when one fails, the others are done nevertheless.

        Raises:
            TopscoopError: What the first of those that failed raised: tell all of them again.
        """
        loop = asyncio.get_running_loop()
        works = [loop.run_in_executor(self._threads, self._arrivals.heard, place, source) for place in places]
        done = await asyncio.gather(*works, return_exceptions=True)
        arrived = []
        for one in done:
            if isinstance(one, BaseException):
                raise one
            arrived.append(one)
        return arrived
