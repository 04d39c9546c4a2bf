"""A bucket for each source, in bounded memory."""

from cloud.enrolment.rate_limit import RateLimit

NOW_MS = 1_795_000_000_000


def test_a_burst_and_then_one_each_second() -> None:
    """How long to wait is said."""
    limit = RateLimit(burst=3, refill_ms=1000)
    assert [limit.wait_ms("a", NOW_MS) for _ in range(5)] == [0, 0, 0, 1000, 1000]
    assert limit.wait_ms("a", NOW_MS + 999) == 1
    assert limit.wait_ms("a", NOW_MS + 1000) == 0
    assert limit.wait_ms("a", NOW_MS + 1000) == 1000


def test_a_quiet_source_has_its_burst_again() -> None:
    """And never more than that."""
    limit = RateLimit(burst=2, refill_ms=1000)
    assert [limit.wait_ms("a", NOW_MS) for _ in range(3)] == [0, 0, 1000]
    assert [limit.wait_ms("a", NOW_MS + 3_600_000) for _ in range(3)] == [0, 0, 1000]


def test_sources_do_not_count_for_each_other() -> None:
    """T27: one that floods keeps nobody else out."""
    limit = RateLimit(burst=1, refill_ms=1000)
    assert limit.wait_ms("a", NOW_MS) == 0
    assert limit.wait_ms("a", NOW_MS) == 1000
    assert limit.wait_ms("b", NOW_MS) == 0


def test_memory_is_bounded() -> None:
    """The source that was quiet longest is forgotten."""
    limit = RateLimit(burst=1, refill_ms=1000, sources_max=2)
    for source in ("a", "b", "a", "c"):
        limit.wait_ms(source, NOW_MS)
    assert limit.wait_ms("a", NOW_MS) == 1000
    assert limit.wait_ms("b", NOW_MS) == 0


def test_a_clock_that_steps_back_locks_nobody_out_for_long() -> None:
    """T15: a source waits at most as long as its bucket takes to fill."""
    limit = RateLimit(burst=2, refill_ms=1000)
    limit.wait_ms("a", NOW_MS + 3_600_000_000)
    assert limit.wait_ms("a", NOW_MS) <= 2000
