"""What has been measured so far: hits beside what was possible, and latencies. Pure.

Expected hits are sums of the customers' true probabilities over a slate, for the same customers and the
same menu whatever the policy: no luck of the draw is in them, so a few dozen customers already tell the
policies apart. The realised share beside them is what the tills really sold.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simulator.bayes import best_slates, expected_hits
from simulator.taste import FloatArray

SLATE = 3
KEPT_LATENCIES = 20_000
"""An hour of six registers; a demo that runs for days forgets the oldest."""
KEPT_POINTS = 240
"""Points of the time chart; beyond them every second one is dropped and the step doubles."""


class Hits(NamedTuple):
    """Probability that the purchase is on the slate, by who chose the slate."""

    model: float
    bestsellers: float
    bayes: float


def possible_hits(truth: FloatArray, slate: Sequence[int], best_sellers: Sequence[int]) -> Hits:
    """Expected hits of one customer.

    Args:
        truth: True probability of each flavour [F], zero for what is sold out.
        slate: Indices that were offered.
        best_sellers: All indices, most sold first; the first three in stock are the baseline's slate.
    """
    row = truth[None, :]
    baseline = [index for index in best_sellers if truth[index] > 0][:SLATE]
    return Hits(
        model=float(expected_hits(row, np.array([slate], np.int64))[0]),
        bestsellers=float(expected_hits(row, np.array([baseline], np.int64))[0]),
        bayes=float(expected_hits(row, best_slates(row, SLATE))[0]),
    )


class Point(NamedTuple):
    """One moment of the time chart: running means at `t_s` seconds since the start."""

    t_s: float
    model: float
    bestsellers: float
    bayes: float


class ChainScore:
    """Running means of one chain over the interactions whose slate came from the model."""

    def __init__(self) -> None:
        self.counted = 0
        self.realised_hits = 0
        self._sums = [0.0, 0.0, 0.0]
        self._history: list[Point] = []
        self._step_s = 1.0

    def add(self, hits: Hits, *, realised: bool) -> None:
        """Count one interaction whose slate came from the model."""
        self.counted += 1
        self.realised_hits += realised
        for index, value in enumerate(hits):
            self._sums[index] += value

    @property
    def means(self) -> Hits | None:
        """Mean expected hits; None before the first interaction."""
        return Hits(*(total / self.counted for total in self._sums)) if self.counted else None

    @property
    def realised(self) -> float | None:
        """Share of purchases that were on the slate."""
        return self.realised_hits / self.counted if self.counted else None

    @property
    def history(self) -> Sequence[Point]:
        """Running means over time, oldest first."""
        return self._history

    def mark(self, now_s: float) -> None:
        """Take the running means into the history when the next point is due."""
        means = self.means
        if means is None or (self._history and now_s - self._history[-1].t_s < self._step_s):
            return
        self._history.append(Point(now_s, *means))
        if len(self._history) > KEPT_POINTS:
            # The newest point stays, so that the line never ends before now.
            self._history = self._history[::-2][::-1]
            self._step_s *= 2


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Median and 99th percentile, in milliseconds."""

    p50: float
    p99: float


class Latencies:
    """The newest durations of one kind, in milliseconds."""

    def __init__(self) -> None:
        self._kept: deque[float] = deque(maxlen=KEPT_LATENCIES)

    def add(self, duration_ms: float) -> None:
        """Take one in."""
        self._kept.append(duration_ms)

    @property
    def quantiles(self) -> Quantiles | None:
        """Nearest-rank quantiles of what is kept; None while there is nothing."""
        if not self._kept:
            return None
        ordered = sorted(self._kept)
        return Quantiles(_nearest_rank(ordered, 0.50), _nearest_rank(ordered, 0.99))


def _nearest_rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
