"""The moving window."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloud.public_api.rates import WINDOW_MS, MovingWindow

NOW = 1_795_000_020_000
KEY = b"anna"


def test_the_limit_holds_and_says_when_to_come_back() -> None:
    """Ten are let through, the next is told how long to wait, and is let through then and not before."""
    window = MovingWindow()
    left = [window.count(KEY, 10, NOW).remaining for _ in range(10)]
    assert left == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    refused = window.count(KEY, 10, NOW)
    assert refused.wait_ms > 0
    assert window.count(KEY, 10, NOW + refused.wait_ms - 2).wait_ms > 0
    assert window.count(KEY, 10, NOW + refused.wait_ms).wait_ms == 0


@given(
    limit=st.integers(1, 50),
    steps=st.lists(st.integers(0, 40_000), min_size=1, max_size=300),
)
def test_no_minute_holds_more_than_twice_the_limit_and_waiting_is_enough(
    limit: int, steps: list[int]
) -> None:
    """However requests come, a minute has less than twice the limit, and whoever waits as told is served."""
    window, now, taken = MovingWindow(), NOW, []
    for step in steps:
        now += step
        allowance = window.count(KEY, limit, now)
        if allowance.wait_ms:
            now += allowance.wait_ms
            assert window.count(KEY, limit, now).wait_ms == 0
        taken.append(now)
        assert sum(at > now - WINDOW_MS for at in taken) < 2 * limit + 1


def test_callers_do_not_share_a_window() -> None:
    """One who used everything up leaves the others alone."""
    window = MovingWindow()
    assert window.count(b"a", 1, NOW).wait_ms == 0
    assert window.count(b"a", 1, NOW).wait_ms > 0
    assert window.count(b"b", 1, NOW).wait_ms == 0


def test_memory_is_bounded() -> None:
    """T27: who makes up a key for each request makes nothing grow; the one that is quiet longest goes."""
    window = MovingWindow(keys_max=100)
    for number in range(1000):
        window.count(number.to_bytes(4), 5, NOW)
    assert len(window) == 100


def test_a_look_counts_nothing() -> None:
    window = MovingWindow()
    for _ in range(5):
        assert window.look(KEY, 1, NOW).wait_ms == 0
    window.count(KEY, 1, NOW)
    assert window.look(KEY, 1, NOW).wait_ms > 0


def test_a_clock_that_steps_back_locks_nobody_out() -> None:
    window = MovingWindow()
    window.count(KEY, 1, NOW)
    assert window.count(KEY, 1, NOW - 3600_000).wait_ms == 0


def test_nothing_is_let_through_where_nothing_is_allowed() -> None:
    """Limit 0: the wait is said and finite."""
    assert 0 < MovingWindow().count(KEY, 0, NOW).wait_ms <= WINDOW_MS
