"""Streams: what they send, and what bounds them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest

from cloud.console import live_hub
from cloud.console.errors import TooManyStreams
from cloud.console.live import Parts, known, state
from cloud.console.live_hub import STREAMS_MAX, STREAMS_OF_ONE_MAX, LiveHub
from cloud.errors import DatabaseAway

ONE: Parts = {"rows": [("a", "<p>1</p>")]}
TWO: Parts = {"rows": [("a", "<p>2</p>")]}


def _hub() -> LiveHub:
    return LiveHub(time.monotonic, tick_s=0.01)


async def _events(stream: AsyncIterator[bytes], count: int) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    async for chunk in stream:
        lines = [
            line.split(": ", 1) for line in chunk.decode().strip().split("\n") if not line.startswith(":")
        ]
        event = {name: text for name, text in lines}  # noqa: C416 - from lists
        if "event" in event:
            found.append(event)
        if len(found) == count:
            break
    return found


async def test_a_browser_that_comes_back_gets_what_it_missed() -> None:
    """The id names the state: the same gets nothing, another one everything, whichever process answers."""
    shown = [ONE]
    fresh = _hub().follow("", lambda: shown[0], lambda: True)
    (event,) = await _events(fresh, 1)
    assert (event["event"], event["id"]) == ("diff", state(known(ONE)))
    assert json.loads(event["data"]) == [{"list": "rows", "keys": ["a"], "html": {"a": "<p>1</p>"}}]
    back = _hub().follow(event["id"], lambda: shown[0], lambda: True)
    waiting = asyncio.create_task(_events(back, 1))
    await asyncio.sleep(0)
    shown[0] = TWO
    (event,) = await waiting
    assert json.loads(event["data"])[0]["html"] == {"a": "<p>2</p>"}


async def test_a_stream_ends_with_its_session() -> None:
    """Who was removed, or logged out elsewhere, is told nothing more."""
    ended = [chunk async for chunk in _hub().follow("", lambda: ONE, lambda: False)]
    assert len([chunk for chunk in ended if b"event" in chunk]) == 1


async def test_a_stream_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_hub, "STREAM_MAX_S", 0.0)
    assert [chunk async for chunk in _hub().follow("", lambda: ONE, lambda: True)] == [b"retry: 3000\n\n"]


async def test_streams_end_when_the_process_does_and_when_the_database_is_away() -> None:
    hub = _hub()
    hub.stop()
    assert len([chunk async for chunk in hub.follow("", lambda: ONE, lambda: True)]) == 1

    def away() -> Parts:
        raise DatabaseAway("gone")

    assert len([chunk async for chunk in _hub().follow("", away, lambda: True)]) == 1


async def test_a_quiet_page_still_shows_that_it_is_there() -> None:
    async for chunk in _hub().follow(state(known(ONE)), lambda: ONE, lambda: True):
        if chunk.startswith(b":"):
            return
    pytest.fail("no sign of life")


async def test_streams_are_counted_and_limited() -> None:
    """One session cannot take all, and all together are bounded."""
    hub = _hub()
    for _ in range(STREAMS_OF_ONE_MAX):
        hub.check(b"a")
        hub.enter(b"a")
    with pytest.raises(TooManyStreams):
        hub.check(b"a")
    hub.check(b"b")
    hub.leave(b"a")
    hub.check(b"a")
    for index in range(STREAMS_MAX):
        hub.enter(index.to_bytes(4, "big"))
    with pytest.raises(TooManyStreams):
        hub.check(b"new")


async def test_many_who_look_at_one_page_cost_one_look() -> None:
    now = [0.0]
    hub = LiveHub(lambda: now[0], tick_s=2.0)
    looks = []

    def read() -> Parts:
        looks.append(now[0])
        return ONE

    for _ in range(5):
        hub.look(("sole", "viewer", "/fleet"), read)
    hub.look(("other", "viewer", "/fleet"), read)
    assert looks == [0.0, 0.0]
    now[0] = 2.0
    hub.look(("sole", "viewer", "/fleet"), read)
    assert len(looks) == 3
