"""A lane for each chain."""

from __future__ import annotations

import asyncio

from cloud.files.lanes import Lanes


class _Service:
    """Serves items when it is told to; `served` is their order."""

    def __init__(self) -> None:
        self.served: list[str] = []
        self.at_work: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self.held = asyncio.Event()
        self._progress = asyncio.Event()

    async def until(self, count: int) -> None:
        """Wait until so many were served."""
        while len(self.served) < count:
            self._progress.clear()
            await self._progress.wait()

    async def serve(self, item: str) -> None:
        chain = item[0]
        self.at_work[chain] = self.at_work.get(chain, 0) + 1
        self.most[chain] = max(self.most.get(chain, 0), self.at_work[chain])
        if chain == "s":
            await self.held.wait()
        self.served.append(item)
        self._progress.set()
        self.at_work[chain] -= 1


async def test_a_chain_that_stands_still_holds_nobody_up() -> None:
    """T27: the slow one has as many in work as it may, the others go on; then it goes on, in its order."""
    service = _Service()
    lanes: Lanes[str] = Lanes(service.serve, waiting=10, at_once=2)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        assert all(lanes.put(tasks, "slow", f"s{number}") for number in range(6))
        assert all(lanes.put(tasks, "quick", f"q{number}") for number in range(6))
        await service.until(6)
        assert service.served == [f"q{number}" for number in range(6)]
        assert service.most["s"] == 2
        assert len(lanes) == 4
        assert not lanes.idle
        service.held.set()
    assert [item for item in service.served if item[0] == "s"] == [f"s{number}" for number in range(6)]
    assert lanes.idle
    assert len(lanes) == 0


async def test_a_lane_has_a_bound_and_room_again_later() -> None:
    """T27: the flood stays outside; another chain's lane is another."""
    service = _Service()
    lanes: Lanes[str] = Lanes(service.serve, waiting=3, at_once=1)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        taken = 0
        for number in range(10):
            taken += lanes.put(tasks, "slow", f"s{number}")
            await asyncio.sleep(0)
        assert taken == 4  # three wait, one is in work
        assert lanes.put(tasks, "quick", "q")
        service.held.set()
    assert lanes.idle
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        assert lanes.put(tasks, "slow", "s10")
    assert service.served[-1] == "s10"


async def test_chains_with_much_to_do_take_turns() -> None:
    """T27: what is answered from memory never waits, so each item gives way to the others."""
    service = _Service()
    lanes: Lanes[str] = Lanes(service.serve, waiting=100, at_once=1)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        for number in range(50):
            lanes.put(tasks, "noisy", f"n{number}")
        lanes.put(tasks, "quiet", "q")
    assert service.served.index("q") <= 2
