import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from simulator.demo.feed import QUEUE_LENGTH, Feed, event
from simulator.demo.live_state import LiveState
from simulator.shop_simulator import Visit

_ID = "polar-scoop/pier-nine"


@pytest.fixture
def feed(live: LiveState) -> Feed:
    return Feed(live, lambda: 3.0)


async def _next(stream: AsyncIterator[bytes]) -> tuple[str, Any]:
    async with asyncio.timeout(10):
        message = (await anext(stream)).decode()
    name, data = message.removesuffix("\n\n").split("\n")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_an_event_is_two_lines_and_an_empty_one() -> None:
    assert event("scores", {"a": 1}) == b'event: scores\ndata: {"a": 1}\n\n'


async def test_a_page_begins_with_the_whole_picture(feed: Feed) -> None:
    name, state = await _next(feed.stream())
    assert name == "state"
    assert [chain["name"] for chain in state["chains"]] == ["Polar Scoop"]
    assert state["registers"][0]["id"] == _ID
    assert state["registers"][0]["phase"] == "empty"
    assert state["scores"]["t_s"] == 3.0


async def test_changes_and_scores_follow(feed: Feed, live: LiveState, visit: Visit) -> None:
    stopping = asyncio.Event()
    stream = feed.stream()
    await _next(stream)
    task = asyncio.create_task(feed.run(stopping))
    live.arrived(_ID, visit)
    seen = dict([await _next(stream), await _next(stream)])
    assert seen["register"]["phase"] == "looking"
    assert seen["scores"]["interactions"] == 0
    stopping.set()
    await task
    await stream.aclose()


async def test_the_end_is_told_and_ends_the_stream(feed: Feed) -> None:
    stream = feed.stream()
    await _next(stream)
    feed.close()
    assert await _next(stream) == ("end", {})
    async with asyncio.timeout(5):
        assert [part async for part in stream] == []


async def test_a_page_that_does_not_read_is_let_go_and_costs_nothing_more(
    feed: Feed, live: LiveState, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its stream ends after what fits; EventSource comes back and gets the whole picture."""
    monkeypatch.setattr("simulator.demo.feed.PUBLISH_EVERY_S", 0.001)
    slow, quick = feed.stream(), feed.stream()
    await _next(slow)
    await _next(quick)
    stopping = asyncio.Event()
    task = asyncio.create_task(feed.run(stopping))
    async with asyncio.timeout(60):
        for _ in range(QUEUE_LENGTH + 5):
            live.arrived(_ID, visit)
            while (await _next(quick))[0] != "register":
                pass
        kept = [part async for part in slow]
    assert len(kept) < QUEUE_LENGTH
    stopping.set()
    await task
    await quick.aclose()
