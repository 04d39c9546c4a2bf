"""Every second: is the loop on time, which interactions are over, has the camera changed; the heartbeat."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from edge_agent.heartbeat import Heartbeat
from edge_agent.ports import Clock

TICK_S = 1.0
BEAT_EVERY_S = 5.0


class Kept(Protocol):
    """The part of the agent that needs upkeep."""

    def tick(self) -> None:
        """Look at what changes with time."""

    def warm_up(self) -> None:
        """Run the model once."""


async def upkeep(
    agent: Kept,
    heartbeat: Heartbeat,
    clock: Clock,
    *,
    late: Callable[[float], None],
    alive: Callable[[], None],
    beat_every_s: float = BEAT_EVERY_S,
) -> None:
    """Run until cancelled.

    Args:
        agent: What to look after.
        heartbeat: Beats after the model really ran, never before.
        clock: Measures how late a tick came.
        late: Gets the lag of every tick in seconds.
        alive: Called with every beat; feeds the service manager's watchdog.
        beat_every_s: How often to run the model for the heartbeat's sake.
    """
    ticks, ticks_per_beat = 0, max(1, int(beat_every_s / TICK_S))
    while True:
        if ticks % ticks_per_beat == 0:
            agent.warm_up()
            heartbeat.beat(clock.monotonic_ns())
            alive()
        agent.tick()
        ticks += 1
        before_ns = clock.monotonic_ns()
        await asyncio.sleep(TICK_S)
        late(max(0.0, (clock.monotonic_ns() - before_ns) / 1e9 - TICK_S))
