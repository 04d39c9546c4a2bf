"""The store's clock, as this process counts it on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cloud.intake.adapters.fast_heads import StoreClock

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_the_stores_clock_is_asked_once_a_minute_and_counted_on_by_one_that_never_steps() -> None:
    """T15: a machine whose clock is set while it runs takes no fresh picture for an old one."""
    asked = []
    seconds = 100.0

    def ask() -> datetime:
        asked.append(seconds)
        return NOON + timedelta(seconds=seconds - 100)

    clock = StoreClock(ask, lambda: seconds)
    for seconds in (100.0, 130.5, 159.0, 160.0, 170.0):
        assert clock.now() == NOON + timedelta(seconds=seconds - 100)
    assert asked == [100.0, 160.0]
