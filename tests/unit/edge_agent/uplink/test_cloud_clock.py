"""Whose time a message carries."""

from edge_agent.uplink.cloud_clock import CloudClock


def test_time_never_falls_below_what_the_cloud_signed_t15() -> None:
    """T15: a dead battery dates nothing to 2000, a clock that is ahead stays as it is."""
    clock = CloudClock.of("5000000", 1000)
    assert clock.now_ms(10) == 5_000_000
    assert clock.now_ms(6_000_000) == 6_000_000
    clock.heard(7_000_000)
    clock.heard(1)
    assert clock.now_ms(10) == 7_000_000


def test_a_clock_that_is_behind_is_told_apart_from_a_slow_network() -> None:
    """Five minutes are nothing, six are a wrong clock."""
    clock = CloudClock(1_000_000)
    assert not clock.is_behind(1_000_000 - 300_000)
    assert clock.is_behind(1_000_000 - 300_001)


def test_what_was_kept_and_cannot_be_read_counts_as_nothing() -> None:
    """Then the enrolment's time is the floor."""
    for kept in (None, "", "-5", "x", "٣"):
        assert CloudClock.of(kept, 42).floor_ms == 42
