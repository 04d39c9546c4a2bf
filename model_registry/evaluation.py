"""A report's figures from what recommenders said about the evaluation splits; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_registry.metrics import (
    expected_hit,
    fairness_figures,
    nobody_figures,
    recommender_figures,
    reliability,
    share_of_gap,
    softmax,
    top,
)
from model_registry.orders import Orders

FORMAT = "topscoop.report/1"
MODEL, PRECISE, TEACHER = "student_int8", "student_fp32", "teacher"
BLIND, BLIND_LEARNED, BEST = "context_only_optimum", "context_only_learned", "bayes"
BEST_SELLERS = "best_sellers"

TOLERANCE = 0.001
"""A tenth of a point: what `--check` lets a figure differ by."""
_WIDER = {
    # In nats, not a share.
    "log_loss": 0.01,
    # Divided by a gap of about a fifth, a tenth of a point of hit@3 becomes half a point.
    "share_of_gap": 0.005,
    # One frame among a few hundred.
    "recall": 0.0051,
    "unchanged": 0.0041,
}


@dataclass(frozen=True)
class Heard:
    """What was said about the evaluation splits.

    Args:
        test: Orders of the test split, frames of nobody among them, with truth.
        nuisance: One row per frame: a customer, then the same with one nuisance attribute changed, each.
        style: Orders whose customers are drawn by another hand.
        nuisances: Names of the changed attributes, in order.
        scores: Calibrated scores [N, F] of the model on `test`, `nuisance` and `style`.
        nobody: What the model says about `test`.
        others: Probabilities [customers, F] by other recommenders on the test orders with a customer.
    """

    test: Orders
    nuisance: Orders
    style: Orders
    nuisances: tuple[str, ...]
    scores: Mapping[str, NDArray[np.float32]]
    nobody: NDArray[np.float32]
    others: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)


def popularity(best_sellers: list[int]) -> NDArray[np.float64]:
    """Return chances [F] that rank flavours as they sell; a rank, no probability to be calibrated."""
    chances = np.empty(len(best_sellers))
    chances[best_sellers] = softmax(-0.2 * np.arange(len(best_sellers))[None])[0]
    return chances


def figures(heard: Heard, threshold: float) -> dict[str, Any]:
    """Return the part of a report that follows from answers alone, and that `--check` compares."""
    there = heard.test.somebody
    test = heard.test.take(there)
    assert test.truth is not None
    assert test.blind_truth is not None
    said = {
        **heard.others,
        BLIND: test.blind_truth,
        MODEL: softmax(heard.scores["test"][there].astype(float)),
        BEST: test.truth,
    }
    recommenders = {
        name: recommender_figures(chances, test.truth, test.purchase) for name, chances in said.items()
    }
    hits = {name: row["hit_at_3"] for name, row in recommenders.items()}
    shares = {
        name: share_of_gap(hits[name], hits[BLIND], hits[BEST])
        for name in (TEACHER, PRECISE, MODEL)
        if name in hits
    }
    curve = reliability(said[MODEL], test.purchase)
    return {
        "recommenders": recommenders,
        "share_of_gap": shares,
        "nobody": nobody_figures(heard.nobody, there, threshold),
        "unchanged": fairness_figures(heard.scores["nuisance"], heard.nuisances),
        "style": _style(heard),
        "reliability": {
            "promised": list(curve.promised),
            "happened": list(curve.happened),
            "count": list(curve.count),
        },
    }


def _style(heard: Heard) -> dict[str, float]:
    truth, blind = heard.style.truth, heard.style.blind_truth
    assert truth is not None
    assert blind is not None
    model = expected_hit(truth, top(heard.scores["style"], 3))
    return {
        "hit_at_3": model,
        "context_only_hit_at_3": expected_hit(truth, top(blind, 3)),
        "bayes_hit_at_3": expected_hit(truth, top(truth, 3)),
    }


def differences(committed: Mapping[str, Any], computed: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each figure that was computed again and differs; latency is not a figure."""
    found: list[str] = []
    for section in ("recommenders", "share_of_gap", "nobody", "unchanged", "style"):
        _compare(section, committed[section], computed[section], found)
    return found


def _compare(path: str, committed: Any, computed: Any, found: list[str]) -> None:
    if isinstance(computed, Mapping):
        for key, value in computed.items():
            if key not in committed:
                found.append(f"{path}.{key} is not in the report")
            else:
                _compare(f"{path}.{key}", committed[key], value, found)
    elif abs(committed - computed) > _tolerance(path):
        found.append(f"{path}: the report says {committed:.4f}, computed again it is {computed:.4f}")


def _tolerance(path: str) -> float:
    return next((wider for part, wider in _WIDER.items() if part in path.split(".")), TOLERANCE)
