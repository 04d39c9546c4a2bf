import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.measure import in_windows, percentile, percentile_interval, spread

_SAMPLES = st.lists(st.floats(0, 1e6), min_size=1, max_size=300)


def test_percentile_of_a_known_series() -> None:
    """Nearest rank: of 1 to 100, the 99th percentile is 99, the median 50."""
    samples = [float(value) for value in range(100, 0, -1)]
    assert percentile(samples, 0.99) == 99.0
    assert percentile(samples, 0.5) == 50.0
    assert percentile(samples, 1.0) == 100.0


@given(_SAMPLES, st.floats(0.01, 1.0))
def test_percentile_covers_its_share_and_not_more_than_needed(samples: list[float], share: float) -> None:
    """It is one of the samples, at least `share` are at or below it, and fewer are strictly below."""
    value = percentile(samples, share)
    assert value in samples
    assert sum(sample <= value for sample in samples) >= share * len(samples) - 1e-9
    assert sum(sample < value for sample in samples) < share * len(samples)


def test_a_slow_hundredth_is_not_hidden() -> None:
    """Two slow samples in a hundred are the p99; interpolation with a fast neighbour would soften them."""
    assert spread([1.0] * 98 + [50.0] * 2).p99 == 50.0


@given(_SAMPLES)
def test_the_interval_holds_its_percentile(samples: list[float]) -> None:
    """The lower bound is never above the percentile, the upper never below."""
    low, high = percentile_interval(samples, 0.99)
    assert low <= percentile(samples, 0.99) <= high


def test_the_interval_covers_the_truth_in_19_of_20_series() -> None:
    """Of 600 exponential series with 1,000 samples each, about 95 % hold the true p99 (fixed seed)."""
    rng = random.Random(7)
    truth = -math.log(0.01)
    covered = 0
    for _ in range(600):
        low, high = percentile_interval([rng.expovariate(1.0) for _ in range(1000)], 0.99)
        covered += low <= truth <= high
    assert 0.93 <= covered / 600 <= 0.99


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, math.nan])
def test_impossible_shares_are_refused(share: float) -> None:
    """A percentile above all samples, or below all, is a mistake of the caller."""
    with pytest.raises(ValueError, match="share"):
        percentile([1.0], share)


def test_no_samples_are_refused() -> None:
    """Nothing measured gives no figure."""
    with pytest.raises(ValueError, match="at least one sample"):
        spread([])


def test_windows_take_their_start_and_leave_their_end() -> None:
    """A sample at the border belongs to the window that begins there, and counts once."""
    samples = [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 4.0)]
    assert in_windows(samples, [(0.0, 1.0), (2.0, 3.0), (2.5, 3.0)]) == [1.0, 3.0]
