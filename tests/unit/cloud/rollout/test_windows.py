"""Maintenance windows and opening hours by the shop's own clock."""

from dataclasses import replace

import pytest

from cloud.rollout.plan_values import DEFAULT_PLAN
from cloud.rollout.values import StoreClock, Window
from cloud.rollout.windows import may_be_told, within

_NIGHT = Window((5,), 22 * 60, 4 * 60)  # Saturday 22:00 to Sunday 04:00
_DAY = Window((0, 1, 2), 9 * 60, 19 * 60)


@pytest.mark.parametrize(
    ("window", "day", "minute", "inside"),
    [
        (_DAY, 0, 9 * 60, True),
        (_DAY, 0, 19 * 60, False),
        (_DAY, 3, 12 * 60, False),
        (_NIGHT, 5, 23 * 60, True),
        (_NIGHT, 6, 3 * 60, True),
        (_NIGHT, 6, 4 * 60, False),
        (_NIGHT, 6, 23 * 60, False),
        (_NIGHT, 5, 3 * 60, False),
        (Window((6,), 22 * 60, 4 * 60), 0, 60, True),
    ],
)
def test_a_window_may_go_over_midnight(window: Window, day: int, minute: int, inside: bool) -> None:  # noqa: FBT001
    assert within([window], StoreClock(day, minute)) is inside


def test_without_a_known_time_nobody_is_told_where_the_plan_asks_for_it() -> None:
    """Fail closed; a plan that does not ask tells everybody."""
    assert may_be_told(DEFAULT_PLAN, None)
    assert not may_be_told(replace(DEFAULT_PLAN, window=(_DAY,)), None)
    assert not may_be_told(replace(DEFAULT_PLAN, outside_opening=True), None)


def test_outside_of_opening_hours_where_they_are_known() -> None:
    plan = replace(DEFAULT_PLAN, outside_opening=True)
    assert not may_be_told(plan, StoreClock(0, 600, (_DAY,)))
    assert may_be_told(plan, StoreClock(0, 1200, (_DAY,)))
    assert may_be_told(plan, StoreClock(0, 600))
    both = replace(plan, window=(_NIGHT,))
    assert may_be_told(both, StoreClock(6, 60, (_DAY,)))
    assert not may_be_told(both, StoreClock(0, 1200, (_DAY,)))
