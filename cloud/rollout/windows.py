"""Whether a shop's clock allows that its registers are told now. Pure: the clock is a value."""

from collections.abc import Sequence
from typing import Final

from cloud.rollout.values import Plan, StoreClock, Window

_DAYS: Final = 7


def may_be_told(plan: Plan, clock: StoreClock | None) -> bool:
    """Whether now is a time for it; without a known time zone never, where the plan asks for the time.

    Args:
        plan: With its maintenance windows.
        clock: The shop's; None: its time zone is not known.
    """
    if not needs_clock(plan):
        return True
    if clock is None:
        return False
    if plan.window and not within(plan.window, clock):
        return False
    return not (plan.outside_opening and within(clock.opening, clock))


def needs_clock(plan: Plan) -> bool:
    """Whether the plan asks what time it is in the shop."""
    return bool(plan.window) or plan.outside_opening


def within(windows: Sequence[Window], clock: StoreClock) -> bool:
    """Whether one of them is open now; one that ends before it begins is open over midnight."""
    yesterday = (clock.day - 1) % _DAYS
    for one in windows:
        if one.start < one.end:
            if clock.day in one.days and one.start <= clock.minute < one.end:
                return True
        elif (clock.day in one.days and clock.minute >= one.start) or (
            yesterday in one.days and clock.minute < one.end
        ):
            return True
    return False
