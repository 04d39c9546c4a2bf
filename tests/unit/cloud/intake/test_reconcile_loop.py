import asyncio
from collections import Counter

from cloud.errors import DatabaseAway
from cloud.intake.look import Looked
from cloud.intake.reconcile_loop import keep_forgetting, keep_looking
from cloud.objects.ports import ObjectsAway
from tests.builders.intake import CountingWatch

WITHIN_S = 30


async def test_a_look_that_fails_is_taken_again() -> None:
    """A bucket that is away is told, and the next look goes on."""
    watch, done = CountingWatch(), asyncio.Event()
    loop, looks = asyncio.get_running_loop(), 0

    def look() -> Looked:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise ObjectsAway("away")
        if looks == 3:
            loop.call_soon_threadsafe(done.set)
        return Looked(0, 0, Counter(), 0, ())

    task = asyncio.create_task(keep_looking(look, watch, 0))
    async with asyncio.timeout(WITHIN_S):
        await done.wait()
    task.cancel()
    await asyncio.wait([task])
    assert len(watch.failures) == 1
    assert len(watch.looks) >= 1


async def test_every_chain_is_cleared() -> None:
    """With the time of its turn; a database that is away has the rest wait for the next round."""
    watch, done = CountingWatch(), asyncio.Event()
    loop, calls = asyncio.get_running_loop(), list[tuple[str, int]]()

    def forget(tenant: str, now_ms: int) -> int:
        calls.append((tenant, now_ms))
        if len(calls) == 1:
            raise DatabaseAway("away")
        if len(calls) == 3:
            loop.call_soon_threadsafe(done.set)
        return 7

    task = asyncio.create_task(keep_forgetting(forget, lambda: ["a", "b"], lambda: 5, watch, 0))
    async with asyncio.timeout(WITHIN_S):
        await done.wait()
    task.cancel()
    await asyncio.wait([task])
    assert calls[:3] == [("a", 5), ("a", 5), ("b", 5)]
    assert len(watch.failures) == 1
    assert watch.forgotten[0] == 7
