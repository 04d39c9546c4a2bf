from hypothesis import given
from hypothesis import strategies as st

from edge_agent.backoff import Backoff

BACKOFF = Backoff(first_s=0.5, longest_s=15.0)


def test_steps_double_up_to_the_longest() -> None:
    steps = [BACKOFF.delay_s(attempt, chance=0.999_999_999) for attempt in range(8)]
    assert [round(step, 3) for step in steps] == [0.5, 1, 2, 4, 8, 15, 15, 15]


@given(st.integers(0, 10**9), st.floats(0, 1, exclude_max=True))
def test_a_delay_is_never_shorter_than_half_a_step_nor_longer_than_the_longest(
    attempt: int, chance: float
) -> None:
    assert 0.25 <= BACKOFF.delay_s(attempt, chance) <= 15.0


def test_two_tills_do_not_knock_in_step() -> None:
    assert BACKOFF.delay_s(3, 0.1) != BACKOFF.delay_s(3, 0.9)
