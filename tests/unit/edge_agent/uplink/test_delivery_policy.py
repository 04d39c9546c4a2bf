import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.uplink.delivery_policy import DeliveryPolicy

_POLICY = DeliveryPolicy()
_chance = st.floats(0, 1, exclude_max=True)


@given(attempt=st.integers(0, 10_000), chance=_chance)
def test_reconnecting_waits_at_most_five_minutes(attempt: int, chance: float) -> None:
    """T16: full jitter: anything from a second to the doubled step."""
    step_ms = min(300_000, 8000 << min(attempt, 10))
    assert _POLICY.reconnect_ms(attempt, chance) == 1000 + round(chance * (step_ms - 1000))
    assert 1000 <= _POLICY.reconnect_ms(attempt, chance) <= 300_000


@pytest.mark.parametrize(("window", "frames"), [(1, 1), (2, 1), (4, 3), (16, 12), (200, 16)])
def test_frames_never_fill_the_window(window: int, frames: int) -> None:
    assert DeliveryPolicy(window_count=window).frames_at_once == frames


@given(attempt=st.integers(0, 10_000), chance=_chance)
def test_a_resend_never_comes_before_its_step(attempt: int, chance: float) -> None:
    waited = _POLICY.resend_ms(attempt, chance)
    assert min(600_000, 30_000 << min(attempt, 10)) <= waited <= 900_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"window_count": 0},
        {"frames_count": 0},
        {"burst": 0},
        {"per_s": 0.0},
        {"window_bytes": 1000},
        {"frames_bytes": 1000},
        {"reconnect_least_ms": 0},
        {"reconnect_first_ms": 400_000},
    ],
)
def test_a_window_that_nothing_fits_into_is_refused(wrong: dict[str, int]) -> None:
    """It would wait for ever, without a word."""
    with pytest.raises(ValueError, match="must"):
        DeliveryPolicy(**wrong)
