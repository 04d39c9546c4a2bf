import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from model_registry import evaluation
from model_registry.evaluation import (
    BEST,
    BEST_SELLERS,
    BLIND,
    MODEL,
    Heard,
    differences,
    figures,
    popularity,
)
from model_registry.orders import Orders


@pytest.fixture
def heard(make_orders: Callable[..., Orders]) -> Heard:
    """A model that knows the truth but for some noise, and never mistakes anybody for nobody."""
    test, nuisance, style = (make_orders(count, seed, truth=True) for seed, count in enumerate((400, 90, 50)))
    rng = np.random.default_rng(9)
    scores = {}
    for name, orders in (("test", test), ("nuisance", nuisance), ("style", style)):
        assert orders.truth is not None
        noise = rng.normal(0, 0.3, orders.truth.shape)
        scores[name] = (np.log(orders.truth) + noise).astype(np.float32)
    somebody = int(test.somebody.sum())
    return Heard(
        test,
        nuisance,
        style,
        ("skin", "mood"),
        scores,
        nobody=np.where(test.somebody, 0.1, 0.9),
        others={BEST_SELLERS: np.tile(popularity([2, 0, 1, 3]), (somebody, 1))},
    )


def test_figures_are_ordered_as_knowledge_is(heard: Heard) -> None:
    """Knowing everything beats the model, the model beats the context alone; the share says by how much."""
    found = figures(heard, 0.5)
    hits = {name: row["hit_at_3"] for name, row in found["recommenders"].items()}
    assert hits[BLIND] < hits[MODEL] < hits[BEST]
    assert found["share_of_gap"][MODEL] == pytest.approx(
        (hits[MODEL] - hits[BLIND]) / (hits[BEST] - hits[BLIND])
    )
    assert found["nobody"] == {"recall": 1.0, "false_alarms": 0.0}


def test_popularity_ranks_as_given() -> None:
    assert np.argsort(-popularity([2, 0, 1, 3])).tolist() == [2, 0, 1, 3]


def test_the_same_figures_differ_nowhere(heard: Heard) -> None:
    assert differences(figures(heard, 0.5), figures(heard, 0.5)) == []


def test_rows_that_cannot_be_computed_again_are_left_out(heard: Heard) -> None:
    """The committed report has the teacher's row, a check without its weights has not."""
    committed = figures(heard, 0.5)
    committed["recommenders"]["teacher"] = {"hit_at_3": 0.7}
    assert differences(committed, figures(heard, 0.5)) == []


@pytest.mark.parametrize(
    ("path", "by"),
    [
        (("recommenders", MODEL, "hit_at_3"), 0.0011),
        (("recommenders", BLIND, "hit_at_1"), -0.0011),
        (("share_of_gap", MODEL), 0.0051),
        (("nobody", "false_alarms"), 0.0011),
        (("unchanged", "skin"), 0.0042),
        (("style", "hit_at_3"), 0.0011),
    ],
)
def test_a_changed_figure_is_named(heard: Heard, path: tuple[str, ...], by: float) -> None:
    """More than a tenth of a point off, and the check says which figure it is."""
    committed = copy.deepcopy(figures(heard, 0.5))
    place: Any = committed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] += by
    (sentence,) = differences(committed, figures(heard, 0.5))
    assert ".".join(path) in sentence


def test_a_missing_figure_is_named(heard: Heard) -> None:
    committed = figures(heard, 0.5)
    del committed["unchanged"]["mood"]
    assert differences(committed, figures(heard, 0.5)) == ["unchanged.mood is not in the report"]


def test_a_tenth_of_a_point_is_the_tolerance() -> None:
    assert evaluation.TOLERANCE == 0.001
