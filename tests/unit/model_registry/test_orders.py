from collections.abc import Callable

import numpy as np
import pytest

from model_registry.orders import CHUNK, Catalogue, Orders, SplitPlan, plan_evaluation, plan_learning


@pytest.mark.parametrize("orders", [1, CHUNK, CHUNK + 1, 1234])
def test_chunks_cover_every_order_once(orders: int) -> None:
    covered = [
        number
        for first, count in SplitPlan("train", orders).chunks()
        for number in range(first, first + count)
    ]
    assert covered == list(range(orders))


def test_chunks_with_variants_stay_small() -> None:
    """A chunk of six frames an order holds a sixth of the orders."""
    split = SplitPlan("nuisance", 300, frames_per_order=6)
    assert split.frames == 1800
    assert max(count for _, count in split.chunks()) * 6 <= CHUNK


def test_learners_and_evaluation_share_no_split() -> None:
    """What is learned or calibrated from is never evaluated on, and carries no truth."""
    learning, evaluation = plan_learning(1000), plan_evaluation(5)
    assert {one.name for one in learning}.isdisjoint(one.name for one in evaluation)
    assert not any(one.truth for one in learning)
    assert all(one.truth for one in evaluation)


def test_evaluation_does_not_depend_on_what_was_learned() -> None:
    assert plan_learning(1000) != plan_learning(2000)
    assert plan_evaluation(5) == plan_evaluation(5)


def test_taking_and_joining_rows_gives_them_back(make_orders: Callable[..., Orders]) -> None:
    orders = make_orders(20, truth=True)
    joined = Orders.concatenate([orders.take(slice(0, 7)), orders.take(np.arange(7, 20))])
    for name in Orders.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(joined, name), getattr(orders, name))


def test_rows_without_truth_stay_without(make_orders: Callable[..., Orders]) -> None:
    orders = make_orders(10)
    assert Orders.concatenate([orders, orders.take(orders.somebody)]).truth is None


def test_catalogue_survives_json(catalogue: Catalogue) -> None:
    assert Catalogue.from_json(catalogue.to_json()) == catalogue
    assert catalogue.flavour_ids[0] == "flavour-0"
