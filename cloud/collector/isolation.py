"""One message's failure is its own: a batch that fails is done again, message by message."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from cloud.errors import DatabaseAway

T = TypeVar("T")
R = TypeVar("R")


async def each_by_itself(
    step: Callable[[Sequence[T]], Awaitable[Sequence[R]]], batch: Sequence[T]
) -> Sequence[R | Exception]:
    """The results of `step`, with the exception in the place of what made it fail.

    Args:
        step: All or nothing: where it raises, nothing was done.
        batch: Not empty.

    Raises:
        DatabaseAway: That is nobody's own.
    """
    try:
        return await step(batch)
    except DatabaseAway:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a message breaks, it is counted against that message
        if len(batch) == 1:
            return [error]
    return [result for item in batch for result in await each_by_itself(step, [item])]
