"""Batches form while others are on their way, and nobody waits in vain."""

import asyncio

import pytest

from cloud.collector.batches import Batches, Pace

_FOR_EVER_S = 3600.0
_LONG_MS = 8 * 3_600_000


def _pace(longest_s: float, took_ms: int) -> Pace:
    pace = Pace(longest_s)
    for _ in range(1000):
        pace.took(took_ms)
    return pace


class _Queue:
    """Batches of four, of which more may come or not."""

    def __init__(self, *, more: bool, longest_s: float = _FOR_EVER_S, took_ms: int = _LONG_MS) -> None:
        self.more = more
        self.batches = Batches[int](
            most=4, pace=_pace(longest_s, took_ms), per_tenant=100, more=lambda: self.more
        )

    def put(self, *items: int) -> None:
        for item in items:
            assert self.batches.put("a", item)


async def test_where_no_other_can_come_nobody_waits() -> None:
    """As with few in flight: all of them are in this batch."""
    queue = _Queue(more=False)
    queue.put(1, 2)
    assert await queue.batches.batch() == ("a", [1, 2])


async def test_a_full_batch_goes_at_once() -> None:
    """What is left over is the next batch."""
    queue = _Queue(more=True)
    queue.put(0, 1, 2, 3, 4)
    assert await queue.batches.batch() == ("a", [0, 1, 2, 3])


async def test_a_single_item_waits_for_others_that_are_on_their_way() -> None:
    """A transaction of its own for each that a slow store confirms would cost more than all the rest."""
    queue = _Queue(more=True)
    queue.put(1)
    waiting = asyncio.create_task(queue.batches.batch())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    queue.put(2, 3)
    queue.more = False  # the fourth is the last
    queue.put(4)
    assert await waiting == ("a", [1, 2, 3, 4])


async def test_nobody_waits_longer_than_is_worth_it() -> None:
    """Others may come, and do not."""
    queue = _Queue(more=True, longest_s=0.001)
    queue.put(1)
    assert await asyncio.wait_for(queue.batches.batch(), 60) == ("a", [1])


async def test_where_messages_take_no_time_nobody_waits() -> None:
    """Whatever the longest is."""
    queue = _Queue(more=True, took_ms=0)
    queue.put(1)
    assert await queue.batches.batch() == ("a", [1])


@pytest.mark.parametrize(("took_ms", "linger_s"), [(0, 0.0), (80, 0.01), (800, 0.1), (8_000, 0.25)])
def test_a_batch_waits_an_eighth_of_what_messages_take(took_ms: int, linger_s: float) -> None:
    """And never longer than is allowed."""
    assert _pace(0.25, took_ms).linger_s == pytest.approx(linger_s)
