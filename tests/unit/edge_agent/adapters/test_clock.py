import time

import pytest

from edge_agent.adapters.clock import SystemClock


def test_the_clock_is_the_machines() -> None:
    clock = SystemClock()
    before = time.time()
    assert before - 1 <= clock.now_ms() / 1000 <= time.time() + 1
    assert clock.monotonic_ns() <= time.monotonic_ns()


def test_the_local_time_is_that_of_the_machines_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter to seven on a Monday, fractions of the hour included."""
    monday = time.strptime("2026-11-23 06:45:00", "%Y-%m-%d %H:%M:%S")
    monkeypatch.setattr(time, "localtime", lambda: monday)
    assert SystemClock().local() == (6.75, 0)
