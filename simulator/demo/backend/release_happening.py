"""Two releases, once, so that whoever watches sees them: one that arrives, and one that goes back.

Everything is typed as an operator would: publish, look, plan, start; then it is the controller's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from simulator.demo.backend.next_releases import make_as_good, make_worse
from simulator.demo.backend.release_desk import ReleaseDesk
from simulator.demo.backend.release_plan import ANSWERS_BEFORE, release_plan
from simulator.demo.backend.release_story import ENDED, Act, Passage, ReleaseStory

LOOK_EVERY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class ReleaseSchedule:
    """Seconds."""

    publish_after_s: float
    hold_s: int
    between_s: float
    """Between the end of one rollout and the next release."""


FOR_WATCHERS: Final = ReleaseSchedule(publish_after_s=20, hold_s=8, between_s=6)
FOR_A_CHECK: Final = ReleaseSchedule(publish_after_s=0, hold_s=1, between_s=0)


@dataclass(slots=True)
class ReleaseHappening:
    """Lets both releases happen in one chain.

    Args:
        story: Told how far they have come.
        desk: Where an operator types.
        model: The chain's bundled model.
        folder: Where models are made of it.
        agents: Root of each agent's local API in this chain, by register.
        served: How many customers the chain has served so far.
        client: For requests to agents.
    """

    story: ReleaseStory
    desk: ReleaseDesk
    model: Path
    folder: Path
    agents: Mapping[str, str]
    served: Callable[[], int]
    client: httpx.AsyncClient

    async def run(self, schedule: ReleaseSchedule) -> None:
        """One after the other; returns when the worse one has gone back.

        Raises:
            ServiceFailedError: A command failed.
        """
        watching = asyncio.create_task(self._watch_agents(), name="watch models")
        try:
            self.story.published.append(await self.desk.open())
            self.story.console_ready = True
            await asyncio.sleep(schedule.publish_after_s)
            while self.served() < ANSWERS_BEFORE:  # noqa: ASYNC110 - customers come when they come
                await asyncio.sleep(LOOK_EVERY_S)
            good = await asyncio.to_thread(make_as_good, self.model, self.folder / "as-good")
            await self._roll_out(self.story.good, good, schedule)
            await asyncio.sleep(schedule.between_s)
            worse = await asyncio.to_thread(make_worse, self.model, self.folder / "worse")
            await self._roll_out(self.story.worse, worse, schedule)
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await self.desk.close()
        await self._look_at_agents()

    async def _roll_out(self, passage: Passage, model: Path, schedule: ReleaseSchedule) -> None:
        await self.desk.publish(model, passage.release)
        self.story.published.append(passage.release)
        passage.act = Act.PUBLISHED
        plan = self.folder / "plan.json"
        await asyncio.to_thread(plan.write_text, json.dumps(release_plan(schedule.hold_s)))
        rollout = await self.desk.start_rollout(passage.release, plan)
        while True:
            passage.saw(await self.desk.status(rollout))
            if passage.act in ENDED:
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def _watch_agents(self) -> None:
        while True:
            await self._look_at_agents()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look_at_agents(self) -> None:
        """Which model each agent has in memory; one that does not answer stays as it was."""
        for register, url in self.agents.items():
            with suppress(httpx.TransportError):
                answer = await self.client.get(f"{url}/readyz")
                self.story.running(register, answer.json()["checks"]["model"]["state"])
