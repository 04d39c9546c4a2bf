"""How the demo is told to stop, and how its parts wait for that."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from simulator.demo.errors import DemoError

T = TypeVar("T")


@contextmanager
def signals_set(stopping: asyncio.Event) -> Iterator[list[signal.Signals]]:
    """SIGINT and SIGTERM set the event, as often as they come: cleaning up is never interrupted."""
    signalled: list[signal.Signals] = []

    def note(number: signal.Signals) -> None:
        signalled.append(number)
        stopping.set()

    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, note, number)
    try:
        yield signalled
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def unless(stopping: asyncio.Event, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, unless `stopping` comes first.

    Raises:
        DemoError: It was told to stop.
    """
    task = asyncio.ensure_future(work)
    stop = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if task.done():
        return task.result()
    task.cancel()
    await asyncio.wait({task})
    raise DemoError("the demo was ended before it was ready")


async def wait(stopping: asyncio.Event, seconds: float | None) -> None:
    """Return when `stopping` comes or the time is over; None waits for ever."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
