"""A service's tasks, side by side until a signal comes."""

import asyncio
import signal
from collections.abc import Coroutine, Mapping
from typing import Any

from wire_protocol.errors import OperatorError


async def until_signal(works: Mapping[str, Coroutine[Any, Any, None]]) -> None:
    """Run these until SIGTERM or SIGINT; the death of any ends all.

    Args:
        works: By the names of their tasks.

    Raises:
        OperatorError: One of them, where that is what ended them.
    """
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work, name=name) for name, work in works.items()]
            await stopped.wait()
            for task in tasks:
                task.cancel()
    except ExceptionGroup as died:
        # What an operator can mend is said in one sentence; anything else keeps its traces.
        wrong: Exception | None = died.subgroup(OperatorError)
        while isinstance(wrong, ExceptionGroup):
            wrong = wrong.exceptions[0]
        raise wrong or died from None
