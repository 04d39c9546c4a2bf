import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from edge_agent.config import PresenceConfig
from edge_agent.impression import Impression
from edge_agent.presence_loop import PresenceWatch, watch_presence
from tests.builders.records import StandingClock, impression


@dataclass
class Counter:
    """An agent at whose till `there` is what the camera says."""

    there: bool | None = False
    looks: int = 0
    looked_thrice: asyncio.Event = field(default_factory=asyncio.Event)
    opened: list[UUID] = field(default_factory=list)
    closed: list[UUID] = field(default_factory=list)

    def somebody(self) -> bool | None:
        self.looks += 1
        if self.looks == 3:
            self.looked_thrice.set()
        return self.there

    def open_interaction(self) -> Impression:
        record = impression(len(self.opened))
        self.opened.append(record.interaction_id)
        return record

    def close_interaction(self, interaction_id: UUID) -> None:
        self.closed.append(interaction_id)


@dataclass
class Heard:
    """What subscribers would get."""

    events: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)

    def publish(self, kind: str, data: Mapping[str, object]) -> None:
        self.events.append((kind, data))


def make() -> tuple[Counter, StandingClock, Heard, PresenceWatch]:
    agent, clock, heard = Counter(), StandingClock(), Heard()
    return agent, clock, heard, PresenceWatch(agent, config=PresenceConfig(), clock=clock, events=heard)


def look(watch: PresenceWatch, clock: StandingClock, seconds: float) -> list[Impression]:
    """Look five times a second."""
    found = []
    for _ in range(round(seconds * 5)):
        clock.advance(200)
        if (record := watch.look()) is not None:
            found.append(record)
    return found


def test_two_customers_get_an_interaction_each() -> None:
    agent, clock, _, watch = make()
    for there in (False, True, False, True, False):
        agent.there = there
        look(watch, clock, seconds=4)
    assert len(agent.opened) == 2
    assert agent.closed == agent.opened


def test_the_opening_look_returns_the_recommendation() -> None:
    agent, clock, _, watch = make()
    agent.there = True
    assert [record.interaction_id for record in look(watch, clock, seconds=4)] == agent.opened


def test_each_change_is_told_once_with_the_open_interaction() -> None:
    agent, clock, heard, watch = make()
    for there in (True, False):
        agent.there = there
        look(watch, clock, seconds=4)
    assert [data["state"] for _, data in heard.events] == ["arriving", "present", "leaving", "empty"]
    assert [data["interaction_id"] is None for _, data in heard.events] == [True, False, False, True]
    assert {kind for kind, _ in heard.events} == {"presence"}


def test_a_camera_that_cannot_say_opens_nothing() -> None:
    agent, clock, _, watch = make()
    agent.there = None
    look(watch, clock, seconds=10)
    assert agent.opened == []


async def test_the_loop_looks_until_it_is_cancelled() -> None:
    agent, _, _, watch = make()
    task = asyncio.create_task(watch_presence(watch, check_every_ms=1))
    await agent.looked_thrice.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
