from hypothesis import given
from hypothesis import strategies as st

from cloud.files import pace
from cloud.files.pace import REQUEST_BYTES, Paces

NOW = 1_790_000_000_000


def test_a_quiet_register_gets_a_seconds_worth_at_once() -> None:
    """One megabyte in eleven pieces, at two megabytes a second, without a wait."""
    paces = Paces(2_000_000)
    for _ in range(11):
        assert paces.wait_ms("a/b", NOW) == 0
        paces.spend("a/b", 100_000, NOW)


def test_who_has_had_enough_waits_until_the_bucket_has_filled() -> None:
    """And then gets on."""
    paces = Paces(100_000)
    paces.spend("a/b", 150_000 - REQUEST_BYTES, NOW)
    wait_ms = paces.wait_ms("a/b", NOW)
    assert wait_ms == 501
    assert paces.wait_ms("a/b", NOW + wait_ms - 2) > 0
    assert paces.wait_ms("a/b", NOW + wait_ms) == 0


def test_one_register_does_not_spend_anothers() -> None:
    """T27: each has a bucket of its own."""
    paces = Paces(10_000)
    paces.spend("a/b", 1_000_000, NOW)
    assert paces.wait_ms("a/b", NOW) > 0
    assert paces.wait_ms("a/c", NOW) == 0


def test_the_largest_piece_comes_through_the_smallest_bucket() -> None:
    """It is owed, and waited for afterwards."""
    paces = Paces(10_000)
    assert paces.wait_ms("a/b", NOW) == 0
    paces.spend("a/b", 100_000, NOW)
    assert 9_000 <= paces.wait_ms("a/b", NOW) <= 9_200


def test_requests_that_get_nothing_cost_something() -> None:
    """T27: or a register would ask for missing files without end."""
    paces = Paces(10_000)
    asked = 0
    while paces.wait_ms("a/b", NOW) == 0:
        paces.spend("a/b", 0, NOW)
        asked += 1
    assert asked == 10_000 // REQUEST_BYTES


def test_a_clock_that_is_set_back_keeps_nobody_waiting() -> None:
    """Time is asked again from there."""
    paces = Paces(10_000)
    paces.spend("a/b", 1_000_000, NOW)
    assert paces.wait_ms("a/b", NOW - 86_400_000) == 0


def test_memory_is_bounded() -> None:
    """Who was quiet for longest is forgotten."""
    paces = Paces(10_000)
    for number in range(pace.REMEMBERED + 10):
        paces.spend(f"a/{number}", 1_000_000, NOW)
    assert len(paces) == pace.REMEMBERED
    assert paces.wait_ms("a/0", NOW) == 0
    assert paces.wait_ms(f"a/{pace.REMEMBERED + 9}", NOW) > 0


@given(
    st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 100_000)), max_size=60),
    st.sampled_from([10_000, 50_000, 2_000_000]),
)
def test_nobody_gets_more_than_the_rate_and_one_burst(steps: list[tuple[int, int]], rate: int) -> None:
    """T27: whatever the pattern of requests; one piece may be owed."""
    paces, now, got = Paces(rate), NOW, 0
    for wait_ms, size in steps:
        now += wait_ms
        if paces.wait_ms("a/b", now) == 0:
            paces.spend("a/b", size, now)
            got += size
        assert got <= rate * pace.BURST_S + rate * (now - NOW) / 1000 + 100_000
