from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.spool_rules import (
    FIRST_MS,
    AgeGuard,
    SpoolBounds,
    first_sequence,
    has_room,
    thinning_rank,
)
from tests.builders.records import START_MS
from wire_protocol.limits import FRAME_MAX_AGE_MS

_HOUR_MS = 3_600_000
_YEAR_MS = 366 * 24 * _HOUR_MS


@given(first=st.integers(0, 10_000), arrived=st.integers(2, 600), room=st.integers(2, 64))
def test_what_remains_lies_evenly_over_the_outage(first: int, arrived: int, room: int) -> None:
    """T16: no gap is more than twice another, and the ends are no further away, whatever fits."""
    kept: list[int] = []
    for arrival in range(first, first + arrived):
        kept.append(arrival)
        if len(kept) > room:
            kept.remove(max(kept, key=thinning_rank))
    gaps = [after - before for before, after in pairwise(kept)]
    if gaps:
        widest = max(gaps)
        assert widest <= 2 * min(gaps)
        assert kept[0] - first <= 2 * widest
        assert first + arrived - 1 - kept[-1] <= 2 * widest


@given(st.integers(0, (1 << 48) - 1))
def test_the_rank_of_a_rank_is_the_arrival(arrival: int) -> None:
    """So the spool needs to keep one of them only."""
    assert thinning_rank(thinning_rank(arrival)) == arrival


@pytest.mark.parametrize("lane", [Lane.WITHDRAWALS, Lane.CONSENTS, Lane.FRAMES])
def test_only_events_are_ever_turned_away(lane: Lane) -> None:
    """The journal has them; frames thin out instead."""
    bounds = SpoolBounds(max_bytes=100, reserve_bytes=10)
    assert has_room(lane, bounds, 1000, 1000)
    assert has_room(Lane.EVENTS, bounds, 100, 10)
    assert not has_room(Lane.EVENTS, bounds, 100, 11)


def test_a_new_files_numbers_begin_above_all_that_were_given() -> None:
    """T15: by the clock, or by what is known of the old file where the clock went back."""
    assert first_sequence(START_MS, 0) == START_MS
    assert first_sequence(1000, START_MS + 300) == START_MS + 300


def _judge(guard: AgeGuard, now_ms: int, monotonic_ms: int) -> int | None:
    return guard.expires_before(now_ms, monotonic_ms, FRAME_MAX_AGE_MS)


def test_nothing_expires_in_the_first_hour() -> None:
    guard = AgeGuard()
    assert [_judge(guard, START_MS + at, at) for at in (0, _HOUR_MS - 1)] == [None, None]
    assert _judge(guard, START_MS + _HOUR_MS, _HOUR_MS) == START_MS + _HOUR_MS - FRAME_MAX_AGE_MS


@pytest.mark.parametrize("step_ms", [10 * _YEAR_MS, -10 * _YEAR_MS, _HOUR_MS])
def test_a_clock_that_steps_and_is_set_right_costs_no_frame(step_ms: int) -> None:
    """T15: neither years ahead nor back; a clock that stays is believed after an hour."""
    guard = AgeGuard()
    for minute in range(90):
        _judge(guard, START_MS + minute * 60_000, minute * 60_000)
    wrong = [
        _judge(guard, START_MS + step_ms + minute * 60_000, minute * 60_000) for minute in range(90, 140)
    ]
    right = [_judge(guard, START_MS + minute * 60_000, minute * 60_000) for minute in range(140, 190)]
    assert wrong + right == [None] * 100
    assert _judge(guard, START_MS + 200 * 60_000, 200 * 60_000) is not None


def test_a_clock_that_drifts_is_believed() -> None:
    """Network time pulls it by seconds a day."""
    guard = AgeGuard()
    judged = [_judge(guard, START_MS + hour * (_HOUR_MS + 5000), hour * _HOUR_MS) for hour in range(24 * 30)]
    assert None not in judged[1:]


def test_the_time_of_a_dead_clock_is_no_age() -> None:
    """What `Spool.expire` leaves alone begins with this project."""
    assert FIRST_MS < START_MS
