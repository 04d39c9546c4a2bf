"""One read for all who want it at the same moment."""

from __future__ import annotations

import asyncio
import threading

from cloud.errors import DatabaseAway
from cloud.public_api.shared_reads import SharedReads


async def _flood(
    reads: SharedReads[int], go_on: threading.Event, work: list[str], *, error: bool
) -> list[object]:
    def slow() -> int:
        work.append("read")
        assert go_on.wait(30)
        if error:
            raise DatabaseAway("gone")
        return 7

    tasks = [asyncio.create_task(reads.read("key", slow)) for _ in range(500)]
    await asyncio.sleep(0)  # each has asked
    tasks[0].cancel()
    go_on.set()
    return await asyncio.gather(*tasks[1:], return_exceptions=True)


async def test_a_flood_costs_one_read() -> None:
    """T27: 500 requests at once lead to one statement; one that goes away takes no answer along."""
    work: list[str] = []
    assert await _flood(SharedReads(), threading.Event(), work, error=False) == [7] * 499
    assert work == ["read"]


async def test_an_outage_is_heard_by_all_and_tried_once() -> None:
    """500 requests do not knock 500 times at a database that is away, one after another."""
    work: list[str] = []
    told = await _flood(SharedReads(), threading.Event(), work, error=True)
    assert (len(work), {type(one) for one in told}) == (1, {DatabaseAway})


async def test_the_next_one_reads_again() -> None:
    """Nothing is remembered; keys do not mix."""
    reads, found = SharedReads[int](), iter(range(9))
    assert await reads.read("a", lambda: next(found)) == 0
    assert await reads.read("a", lambda: next(found)) == 1
    assert await asyncio.gather(reads.read("a", lambda: 5), reads.read("b", lambda: 6)) == [5, 6]
