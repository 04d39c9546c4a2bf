"""How a request waits for its upload's end: look, wait for news, look again; it ends with its client."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol, TypeVar

from cloud.intake.values import UploadState
from cloud.public_api.answers import ALL, ENDS, Answers, Upload

HEARTBEAT_S: Final = 15.0
"""Proxies close what is silent for a minute."""
STREAM_MAX_S: Final = 120.0
"""Then the client comes back with its Last-Event-ID, and shows anew who it is."""


class Looked(Protocol):
    """What a look found."""

    @property
    def state(self) -> UploadState:
        """Where the upload is."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""


Found = TypeVar("Found", bound=Looked)
Done = TypeVar("Done")


async def until_ended(
    answers: Answers, upload: Upload, look: Callable[[], Awaitable[Found]], wait_s: float
) -> tuple[Found, bool]:
    """What the last look found: an end, or what there was when the time was over.

    Args:
        answers: Whoever brings the news tells it to them.
        upload: Which.
        look: Reads the database; its errors end the wait.
        wait_s: How long; 0 looks once.

    Returns:
        What was found, and whether it was waited for.
    """
    end = asyncio.get_running_loop().time() + wait_s
    with answers.watch(upload, ENDS) as watch:
        found, waited = await look(), False
        while not found.ended and not answers.stopping:
            left_s = end - asyncio.get_running_loop().time()
            if left_s <= 0 or not await watch.news(left_s):
                break
            found, waited = await look(), True
    return found, waited


async def following(
    answers: Answers,
    upload: Upload,
    look: Callable[[], Awaitable[Found]],
    heartbeat_s: float = HEARTBEAT_S,
    most_s: float = STREAM_MAX_S,
) -> AsyncIterator[Found | None]:
    """What each look found, one after each news, to the end or for `most_s`; None: it is quiet."""
    time = asyncio.get_running_loop().time
    end = time() + most_s
    with answers.watch(upload, ALL) as watch:
        found = await look()
        watch.knows(found.state)
        yield found
        while not found.ended and not answers.stopping:
            left_s = end - time()
            if left_s <= 0:
                return
            if not await watch.news(min(heartbeat_s, left_s)):
                yield None
                continue
            found = await look()
            watch.knows(found.state)
            yield found


async def unless_gone(work: Coroutine[Any, Any, Done], receive: Callable[[], Awaitable[Any]]) -> Done | None:
    """The result of `work`; None where the client went before, and the work was cancelled.

    Args:
        work: What is being done for the client.
        receive: The client's messages, as ASGI gives them.
    """

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass  # the rest of a body that nobody asked for

    tasks = (asyncio.create_task(work), asyncio.create_task(gone()))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[0].result() if tasks[0].done() else None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
