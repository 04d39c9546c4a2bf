"""Batches form while others are on their way, and nobody waits in vain."""

import asyncio

import pytest

from cloud.collector import batches
from cloud.collector.batches import Batches

_LINGER_S = 0.25


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, without waiting."""
    waited: list[float] = []

    class NoTime:
        Event = asyncio.Event

        @staticmethod
        async def sleep(seconds: float) -> None:
            waited.append(seconds)

    monkeypatch.setattr(batches, "asyncio", NoTime)
    return waited


def _batches(*, more: bool, most: int = 4) -> Batches[int]:
    return Batches(most=most, linger_s=_LINGER_S, per_tenant=100, more=lambda: more)


async def test_a_single_item_goes_at_once(waits: list[float]) -> None:
    queue = _batches(more=True)
    queue.put("a", 1)
    assert await queue.batch() == ("a", [1])
    assert waits == []


async def test_a_few_wait_for_others_that_may_come(waits: list[float]) -> None:
    queue = _batches(more=True)
    for item in (1, 2):
        queue.put("a", item)
    assert await queue.batch() == ("a", [1, 2])
    assert waits == [_LINGER_S]


async def test_where_no_other_can_come_nobody_waits(waits: list[float]) -> None:
    """As with few in flight: all of them are in this batch."""
    queue = _batches(more=False)
    for item in (1, 2):
        queue.put("a", item)
    assert await queue.batch() == ("a", [1, 2])
    assert waits == []


async def test_a_full_batch_goes_at_once(waits: list[float]) -> None:
    queue = _batches(more=True)
    for item in range(5):
        queue.put("a", item)
    assert await queue.batch() == ("a", [0, 1, 2, 3])
    assert waits == []
