"""How many blanks: never more than asked for, than fits the stock, than is bounded."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.privacy.blank_issue import (
    DAY_MS,
    Need,
    blanks_to_issue,
    issued_at_ms,
    key_ends_at_ms,
    outstanding_max,
    usable_until_ms,
)
from wire_protocol.identifiers import uuid7
from wire_protocol.limits import BLANKS_PER_MESSAGE_MAX, FRAME_MAX_AGE_MS

COUNTS = st.integers(0, 1 << 53)
NEEDS = st.builds(Need, left=COUNTS, wanted=st.integers(0, 200), outstanding=COUNTS, on_the_way=COUNTS)


@given(NEEDS, st.integers(1, 100_000))
def test_whatever_a_register_says_the_answer_is_bounded(need: Need, stock_max: int) -> None:
    count = blanks_to_issue(need, stock_max)
    assert 0 <= count <= min(need.wanted, BLANKS_PER_MESSAGE_MAX)
    assert count == 0 or need.left + need.on_the_way + count <= stock_max
    assert count == 0 or need.outstanding + count <= outstanding_max(stock_max)


@given(st.lists(st.tuples(COUNTS, st.integers(0, 200)), max_size=40), st.integers(1, 500))
def test_no_series_of_reports_gets_more_than_the_bound(
    reports: list[tuple[int, int]], stock_max: int
) -> None:
    """A register that loses or hides all that it is given, and lies about the rest."""
    outstanding = 0
    for left, wanted in reports:
        outstanding += blanks_to_issue(Need(left, wanted, outstanding, 0), stock_max)
    assert outstanding <= outstanding_max(stock_max)


def test_an_honest_register_gets_what_it_asks_for() -> None:
    assert blanks_to_issue(Need(left=20, wanted=100, outstanding=20, on_the_way=0), 2000) == 100
    assert blanks_to_issue(Need(left=20, wanted=100, outstanding=120, on_the_way=100), 2000) == 0
    assert blanks_to_issue(Need(left=20, wanted=100, outstanding=80, on_the_way=60), 2000) == 40


def test_a_key_outlives_its_blank_by_the_time_that_a_frame_may_wait() -> None:
    assert usable_until_ms(5, 90) == 5 + 90 * DAY_MS
    assert key_ends_at_ms(5, 90) > usable_until_ms(5, 90) + FRAME_MAX_AGE_MS


@given(st.integers(0, (1 << 48) - 1))
def test_a_blanks_id_says_when_it_was_issued(now_ms: int) -> None:
    assert issued_at_ms(uuid7(now_ms, bytes(10)).bytes) == now_ms
