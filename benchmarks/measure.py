"""Statistics of timings: percentiles that are real samples, and how sure one can be of them."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

_Z_95 = 1.96
"""Two-sided 95 % of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What is told of one series of timings; all but `count` in the unit of the samples."""

    count: int
    p50: float
    p90: float
    p99: float
    p99_low: float
    p99_high: float
    worst: float

    def as_json(self) -> dict[str, float]:
        """Plain values, rounded to a millionth of the unit."""
        return {name: round(value, 6) for name, value in asdict(self).items()}


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least `share` (0 < share <= 1) of all samples do not exceed (nearest rank).

    Raises:
        ValueError: No samples, or a share out of range.
    """
    if not samples:
        raise ValueError("a percentile needs at least one sample")
    if not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1, not {share}")
    return sorted(samples)[math.ceil(share * len(samples)) - 1]


def percentile_interval(samples: Sequence[float], share: float) -> tuple[float, float]:
    """Two samples between which the true percentile lies in 19 of 20 series, whatever the distribution.

    The number of samples below the true percentile is binomial; its normal approximation gives the two ranks.
    With few samples the upper rank is the largest sample, which then says less than 95 %.
    """
    if not samples:
        raise ValueError("a percentile needs at least one sample")
    count = len(samples)
    ordered = sorted(samples)
    reach = _Z_95 * math.sqrt(count * share * (1 - share))
    low = max(math.floor(count * share - reach), 1)
    high = min(math.ceil(count * share + reach) + 1, count)
    return ordered[low - 1], ordered[high - 1]


def spread(samples: Sequence[float]) -> Spread:
    """Everything that is told of a series.

    Raises:
        ValueError: No samples.
    """
    low, high = percentile_interval(samples, 0.99)
    return Spread(
        count=len(samples),
        p50=percentile(samples, 0.50),
        p90=percentile(samples, 0.90),
        p99=percentile(samples, 0.99),
        p99_low=low,
        p99_high=high,
        worst=max(samples),
    )


def in_windows(samples: Sequence[tuple[float, float]], windows: Sequence[tuple[float, float]]) -> list[float]:
    """Values of those (time, value) samples whose time lies in one of the windows [from, to)."""
    return [value for at, value in samples if any(start <= at < end for start, end in windows)]
