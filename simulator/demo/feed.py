"""Server-Sent Events of the demo page: the whole picture at first, then what changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from simulator.demo.backend.story import Story, story_view
from simulator.demo.live_state import (
    LiveState,
    history_view,
    register_info_view,
    register_view,
    scores_view,
)

PUBLISH_EVERY_S = 0.1
SCORES_EVERY_S = 1.0
STORY_EVERY_S = 0.3
KEEP_ALIVE_S = 15.0
QUEUE_LENGTH = 200
"""Some twenty seconds of six registers; who is further behind starts again with the whole picture."""

View = Mapping[str, Any]


class Feed:
    """Fans events out to the open pages.

    Args:
        live: What is shown.
        clock_s: Seconds since the demo was ready.
        story: What reaches the cloud; None without one.
    """

    def __init__(self, live: LiveState, clock_s: Callable[[], float], story: Story | None = None) -> None:
        self._live = live
        self._story = story
        self._clock_s = clock_s
        self._queues: set[asyncio.Queue[bytes | None]] = set()
        self._closed = False

    async def run(self, stopping: asyncio.Event) -> None:
        """Publish what changes, until `stopping`."""
        next_scores_s = next_story_s = 0.0
        while not stopping.is_set():
            self._live.mark(self._clock_s())
            for register in self._live.take_changed():
                self._publish("register", register_view(self._live.registers[register]))
            if self._clock_s() >= next_scores_s:
                next_scores_s = self._clock_s() + SCORES_EVERY_S
                self._publish("scores", scores_view(self._live, self._clock_s()))
            if self._story is not None and self._clock_s() >= next_story_s and self._story.take_changed():
                next_story_s = self._clock_s() + STORY_EVERY_S
                self._publish("cloud", story_view(self._story))
            await asyncio.sleep(PUBLISH_EVERY_S)

    async def stream(self) -> AsyncIterator[bytes]:
        """One page's events; ends when the demo does, or when the page reads too slowly (it comes back)."""
        if self._closed:
            return  # nobody would end a stream that begins now
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE_LENGTH)
        self._queues.add(queue)
        try:
            yield event("state", self._state())
            while True:
                try:
                    message = await asyncio.wait_for(queue.get(), KEEP_ALIVE_S)
                except TimeoutError:
                    message = b": still here\n\n"
                if message is None:
                    return
                yield message
        finally:
            self._queues.discard(queue)

    def close(self) -> None:
        """Tell every page that the demo is over, and end the streams."""
        self._publish("end", {})
        self._closed = True
        for queue in list(self._queues):
            self._end(queue)

    def _state(self) -> View:
        chains = {}
        for state in self._live.registers.values():
            chain = state.info.chain
            chains[chain.tenant] = {
                "id": chain.tenant,
                "name": chain.name,
                "flavours": len(chain.flavours),
                "history": history_view(self._live.scores[chain.tenant]),
            }
        return {
            "chains": list(chains.values()),
            "registers": [
                {**register_info_view(state.info), **register_view(state)}
                for state in self._live.registers.values()
            ],
            "scores": scores_view(self._live, self._clock_s()),
            "cloud": None if self._story is None else story_view(self._story),
        }

    def _publish(self, name: str, view: View) -> None:
        message = event(name, view)
        for queue in list(self._queues):
            if queue.full():
                self._end(queue)
            else:
                queue.put_nowait(message)

    def _end(self, queue: asyncio.Queue[bytes | None]) -> None:
        """Let a stream end after what it can still take."""
        if queue.full():
            queue.get_nowait()
        queue.put_nowait(None)
        self._queues.discard(queue)


def event(name: str, view: View) -> bytes:
    """One Server-Sent Event."""
    return f"event: {name}\ndata: {json.dumps(view, allow_nan=False)}\n\n".encode()
