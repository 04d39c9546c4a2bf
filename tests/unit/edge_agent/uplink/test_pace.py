from hypothesis import given
from hypothesis import strategies as st

from edge_agent.uplink.pace import Pace


@given(
    per_s=st.floats(0.1, 1000),
    burst=st.integers(1, 50),
    steps=st.lists(st.integers(0, 5000), min_size=1, max_size=100),
)
def test_never_more_than_the_burst_and_the_rate(per_s: float, burst: int, steps: list[int]) -> None:
    """Whatever the times at which somebody asks."""
    pace, now_ms, taken = Pace(per_s, burst), 0, 0
    for step in steps:
        now_ms += step
        while pace.take(now_ms):
            taken += 1
        assert taken <= burst + now_ms * per_s / 1000 + 1e-6
        assert not pace.take(now_ms)


@given(per_s=st.floats(0.1, 1000))
def test_the_next_time_it_names_is_the_first_that_is_granted(per_s: float) -> None:
    pace = Pace(per_s, 1)
    assert pace.take(0)
    assert not pace.take(0)
    next_ms = pace.next_ms(0)
    assert next_ms == 1 or not pace.take(next_ms - 1)
    assert pace.take(next_ms + 1)
