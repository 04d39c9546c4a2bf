"""Rates of tenants, and pauses while something is away."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.collector.quota import Outage, Rates


@given(st.integers(1, 100_000), st.lists(st.integers(0, 5_000), max_size=200))
def test_no_minute_has_more_than_its_burst_and_its_rate(per_minute: int, pauses_ms: list[int]) -> None:
    """However they are spread (T27)."""
    rates, now_ms, passed = Rates(), 1_000_000, 0
    for pause_ms in pauses_ms:
        now_ms += pause_ms
        passed += rates.wait_ms("a", per_minute, now_ms) == 0
    allowed = max(1, per_minute * 0.2) + sum(pauses_ms) * per_minute / 60_000
    assert passed <= allowed + 1


@given(st.integers(1, 100_000))
def test_who_waits_as_told_gets_through(per_minute: int) -> None:
    """The wait that is named suffices, within the milliseconds of rounding."""
    rates, now_ms = Rates(), 0
    while (wait_ms := rates.wait_ms("a", per_minute, now_ms)) == 0:
        pass
    assert rates.wait_ms("a", per_minute, now_ms + wait_ms + 1) == 0


def test_tenants_do_not_share_a_bucket() -> None:
    """One that is out of tokens leaves the others alone."""
    rates = Rates()
    while rates.wait_ms("noisy", 10, 0) == 0:
        pass
    assert rates.wait_ms("quiet", 10, 0) == 0


def test_a_clock_that_steps_back_costs_nothing() -> None:
    """Neither an error nor a free minute."""
    rates = Rates()
    assert rates.wait_ms("a", 60, 100_000) == 0
    assert rates.wait_ms("a", 60, 0) == 0


def test_while_away_one_request_per_pause() -> None:
    """Pauses double up to the longest; an answer ends them at once."""
    outage = Outage(first_ms=100, longest_ms=400)
    assert outage.may_ask(0)
    outage.failed(0)
    asked = [now_ms for now_ms in range(0, 300, 10) if outage.may_ask(now_ms)]
    assert asked == [100, 200]
    outage.failed(300)
    assert not outage.may_ask(450)
    assert outage.may_ask(500)
    outage.answered()
    assert outage.may_ask(501)
    assert outage.may_ask(501)


def test_failures_of_one_moment_count_once() -> None:
    """A hundred requests that were under way together do not make the pause the longest."""
    outage = Outage(first_ms=100, longest_ms=10_000)
    for _ in range(100):
        outage.failed(0)
    assert outage.may_ask(100)
