"""The loop that looks after the agent, with time in a test's hand."""

import asyncio
import re
from pathlib import Path

import pytest

from edge_agent import upkeep_loop
from edge_agent.heartbeat import Heartbeat
from edge_agent.upkeep_loop import BEAT_EVERY_S, TICK_S, upkeep
from tests.builders.records import StandingClock

_TICKS = int(BEAT_EVERY_S / TICK_S)


class Diary:
    """Writes down what was called."""

    def __init__(self) -> None:
        self.entries: list[str] = []
        self.fails = False

    def tick(self) -> None:
        self.entries.append("tick")

    def warm_up(self) -> None:
        if self.fails:
            raise RuntimeError("the loop is broken")
        self.entries.append("warm up")

    def alive(self) -> None:
        self.entries.append("alive")


async def run_for(
    diary: Diary, ticks: int, monkeypatch: pytest.MonkeyPatch, oversleep_s: float = 0.0
) -> list[float]:
    """Run so many ticks; returns the lags."""
    clock, lags = StandingClock(), []

    async def sleep(seconds: float) -> None:
        clock.advance((seconds + oversleep_s) * 1000)
        if len(lags) >= ticks - 1:
            raise asyncio.CancelledError

    monkeypatch.setattr(upkeep_loop.asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await upkeep(diary, Heartbeat(0), clock, late=lags.append, alive=diary.alive)
    return lags


async def test_it_ticks_and_beats_after_the_model_really_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog is fed only behind a run of the model."""
    diary = Diary()
    await run_for(diary, _TICKS + 1, monkeypatch)
    assert diary.entries == ["warm up", "alive", *["tick"] * _TICKS, "warm up", "alive", "tick"]


async def test_how_late_a_tick_came_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """What blocked the loop shows here."""
    lags = await run_for(Diary(), 4, monkeypatch, oversleep_s=0.25)
    assert lags == pytest.approx([0.25] * 3)


async def test_a_broken_loop_dies_and_feeds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task group then ends the agent, and systemd starts a new one."""
    diary = Diary()
    diary.fails = True
    with pytest.raises(RuntimeError, match="broken"):
        await upkeep(diary, Heartbeat(0), StandingClock(), late=lambda _: None, alive=diary.alive)
    assert diary.entries == []


def test_the_watchdog_of_the_unit_outlasts_some_beats() -> None:
    """Systemd waits for several beats, so that a busy till is not restarted."""
    unit = (Path(__file__).parents[3] / "deploy" / "systemd" / "topscoop-edge.service").read_text("utf-8")
    watchdog_s = int(re.search(r"^WatchdogSec=(\d+)$", unit, re.MULTILINE)[1])  # type: ignore[index]
    assert watchdog_s >= BEAT_EVERY_S * 3
