"""Chains are let in by turns."""

from __future__ import annotations

import asyncio

import pytest

from cloud.public_api.problems import Problem
from cloud.public_api.turnstile import Place, Turnstile


async def _standing(turnstile: Turnstile, tenant: str, served: list[str]) -> asyncio.Task[Place]:
    async def stand() -> Place:
        place = await turnstile.enter(tenant)
        served.append(tenant)
        return place

    task = asyncio.create_task(stand())
    await asyncio.sleep(0)  # it stands in its line now
    return task


async def test_a_quiet_chain_waits_for_one_of_each_not_for_all() -> None:
    """T27: behind ten chains with twenty requests each, a quiet one's is the eleventh, not the 201st."""
    turnstile, served = Turnstile(places=1), list[str]()
    inside = await turnstile.enter("first")
    tasks = [await _standing(turnstile, f"noisy-{number}", served) for _ in range(20) for number in range(10)]
    tasks.append(await _standing(turnstile, "quiet", served))
    while len(served) < 201:
        inside.leave()
        await asyncio.sleep(0)
        inside = next(task.result() for task in tasks if task.done())
        tasks = [task for task in tasks if not task.done()]
    assert served.index("quiet") == 10
    assert len(turnstile) == 0


async def test_a_full_line_is_said_and_the_others_stay_open() -> None:
    """T27: the 65th of one chain is refused; another chain's is not."""
    turnstile, served = Turnstile(places=1, line_max=2), list[str]()
    inside = await turnstile.enter("a")
    tasks = [await _standing(turnstile, "a", served) for _ in range(2)]
    with pytest.raises(Problem) as refused:
        await turnstile.enter("a")
    assert refused.value.kind.slug == "too-many-requests"
    tasks.append(await _standing(turnstile, "b", served))
    inside.leave()
    for task in (tasks[0], tasks[2], tasks[1]):
        (await task).leave()
    assert served == ["a", "b", "a"]


async def test_who_goes_away_while_waiting_takes_no_place() -> None:
    """A client that hung up is skipped; the place goes to the next, and none is lost."""
    turnstile, served = Turnstile(places=1), list[str]()
    inside = await turnstile.enter("a")
    gone = await _standing(turnstile, "a", served)
    stays = await _standing(turnstile, "a", served)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    inside.leave()
    (await stays).leave()
    for _ in range(2):
        (await asyncio.wait_for(turnstile.enter("b"), 5)).leave()
    assert served == ["a"]


async def test_a_place_whose_owner_went_as_its_turn_came_is_passed_on() -> None:
    """Cancelled between the call and the answer: the next one gets it."""
    turnstile, served = Turnstile(places=1), list[str]()
    inside = await turnstile.enter("a")
    gone = await _standing(turnstile, "a", served)
    stays = await _standing(turnstile, "b", served)
    inside.leave()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    (await asyncio.wait_for(stays, 5)).leave()
    assert served == ["b"]


async def test_leaving_twice_frees_one_place() -> None:
    """A long poll leaves before it waits; the end of its request frees nothing more."""
    turnstile = Turnstile(places=1)
    place = await turnstile.enter("a")
    place.leave()
    place.leave()
    await turnstile.enter("a")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(turnstile.enter("a"), 0.01)
