"""The figures of a report, each a pure function of probabilities, purchases and truth.

`chances` are probabilities [N, F]; `truth` the true ones, known of simulated orders only, so that an
expected hit is a sum of true probabilities and no luck of the draw is in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
CALIBRATION_BINS = 10
_LEAST = 1e-12


def top(chances: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """Return the `count` likeliest flavours of each row [N, count]; ties go to the first in the catalogue."""
    return np.argsort(-chances, axis=1, kind="stable")[:, :count]


def expected_hit(truth: FloatArray, slates: NDArray[np.integer]) -> float:
    """Return the mean probability that a purchase is on the slate."""
    return float(np.take_along_axis(truth, slates, axis=1).sum(axis=1).mean())


def realised_hit(purchase: NDArray[np.integer], slates: NDArray[np.integer]) -> float:
    """Return the share of purchases that were on the slate."""
    return float((slates == purchase[:, None]).any(axis=1).mean())


def log_loss(chances: NDArray[np.floating], purchase: NDArray[np.integer]) -> float:
    """Return the mean negative log-probability of what was bought, in nats."""
    bought = chances[np.arange(len(purchase)), purchase]
    return float(-np.log(np.maximum(bought, _LEAST)).mean())


@dataclass(frozen=True, slots=True)
class Reliability:
    """How often what was promised happened: per bin the mean promise, the share bought, the count."""

    promised: tuple[float, ...]
    happened: tuple[float, ...]
    count: tuple[int, ...]

    @property
    def error(self) -> float:
        """Expected calibration error: the mean distance, weighted by count."""
        gaps = np.abs(np.array(self.promised) - np.array(self.happened))
        return float((gaps * np.array(self.count)).sum() / max(1, sum(self.count)))


def reliability(chances: NDArray[np.floating], purchase: NDArray[np.integer]) -> Reliability:
    """Compare the probability of each slate's three flavours with how often each was bought."""
    slates = top(chances, 3)
    promised = np.take_along_axis(chances, slates, axis=1).ravel().astype(float)
    happened = (slates == purchase[:, None]).ravel()
    # Bins of equal count: most promises are small, and bins of equal width would stand empty.
    bins = np.array_split(np.argsort(promised, kind="stable"), CALIBRATION_BINS)
    bins = [rows for rows in bins if len(rows)]
    return Reliability(
        tuple(float(promised[rows].mean()) for rows in bins),
        tuple(float(happened[rows].mean()) for rows in bins),
        tuple(len(rows) for rows in bins),
    )


def recommender_figures(
    chances: NDArray[np.floating], truth: FloatArray, purchase: NDArray[np.integer]
) -> dict[str, float]:
    """Return everything a report says about one recommender on orders with a customer."""
    slates = top(chances, 3)
    return {
        "hit_at_3": expected_hit(truth, slates),
        "hit_at_3_realised": realised_hit(purchase, slates),
        "hit_at_1": expected_hit(truth, slates[:, :1]),
        "log_loss": log_loss(chances, purchase),
        "calibration_error": reliability(chances, purchase).error,
    }


def share_of_gap(model: float, blind: float, best: float) -> float:
    """Return which part of the way from knowing only the context to knowing everything was covered."""
    return (model - blind) / (best - blind)


def nobody_figures(
    nobody: NDArray[np.floating], somebody: NDArray[np.bool_], threshold: float
) -> dict[str, float]:
    """Return how many empty frames are recognised, and how many customers are taken for nobody."""
    said = nobody >= threshold
    return {
        "recall": float(said[~somebody].mean()) if (~somebody).any() else 1.0,
        "false_alarms": float(said[somebody].mean()) if somebody.any() else 0.0,
    }


def fairness_figures(chances: NDArray[np.floating], nuisances: tuple[str, ...]) -> dict[str, float]:
    """Return how often the three flavours stay the same set when only one attribute changes.

    `chances` has, for each customer, the row as they are and then one row per nuisance attribute.
    """
    slates = np.sort(top(chances, 3), axis=1).reshape(-1, 1 + len(nuisances), 3)
    same = (slates[:, 1:] == slates[:, :1]).all(axis=2)
    return {"all": float(same.mean())} | {
        name: float(same[:, index].mean()) for index, name in enumerate(nuisances)
    }


def fit_temperature(scores: NDArray[np.floating], purchase: NDArray[np.integer]) -> float:
    """Return what scores are best divided by, so that their softmax is calibrated."""
    low, high = np.log(0.2), np.log(5.0)

    def loss(log_temperature: float) -> float:
        return log_loss(softmax(scores / np.exp(log_temperature)), purchase)

    golden = (np.sqrt(5.0) - 1) / 2
    for _ in range(40):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def softmax(scores: NDArray[np.floating]) -> FloatArray:
    """Return probabilities [N, F] of scores [N, F]."""
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: FloatArray = np.asarray(odds / odds.sum(axis=1, keepdims=True), np.float64)
    return result


def rounded(value: Any, digits: int = 5) -> Any:
    """Round every float in nested lists and objects, for a file that people read and diff."""
    if isinstance(value, dict):
        return {key: rounded(one, digits) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(one, digits) for one in value]
    return round(value, digits) if isinstance(value, float) else value
