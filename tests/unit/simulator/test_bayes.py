from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.attributes import draw_visible
from simulator.bayes import (
    Order,
    best_sellers,
    best_sellers_hit_at,
    best_slates,
    context_only_hit_at,
    expected_hits,
    hit_at,
    marginal_probabilities,
    market_shares,
    probabilities,
    slate_hit,
)
from simulator.chains import CHAINS
from simulator.customers import SHOP_KINDS, draw_context

# The bands that `docs/world.md` fixes: best-sellers, context-only above them, Bayes.
BANDS = {
    "gelateria-sole": ((0.50, 0.56), (0.02, 0.04), (0.74, 0.78)),
    "polar-scoop": ((0.53, 0.60), (0.02, 0.04), (0.75, 0.79)),
}


def draw_orders(count: int, seed: int) -> list[Order]:
    rng = np.random.default_rng(seed)
    return [(draw_visible(rng), draw_context(rng, SHOP_KINDS[n % 4])) for n in range(count)]


@pytest.mark.parametrize("tenant", CHAINS)
def test_the_difficulty_lies_in_the_documented_bands(tenant: str) -> None:
    taste, orders = CHAINS[tenant].taste, draw_orders(1200, seed=2026)
    sellers = best_sellers_hit_at(taste, 3, orders)
    context_only = context_only_hit_at(taste, 3, orders)
    bayes = hit_at(taste, 3, orders)
    for value, (low, high) in zip((sellers, context_only - sellers, bayes), BANDS[tenant], strict=True):
        assert low <= value <= high
    assert bayes - context_only >= 0.17


@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(CHAINS)), st.integers(1, 4))
def test_bayes_is_at_least_as_good_as_any_slate(seed: int, tenant: str, k: int) -> None:
    taste, orders = CHAINS[tenant].taste, draw_orders(3, seed)
    rng = np.random.default_rng(seed)
    slates = np.array([rng.permutation(len(CHAINS[tenant].flavours))[:k] for _ in orders])
    assert slate_hit(taste, orders, slates) <= hit_at(taste, k, orders) + 1e-12


def test_no_fixed_three_beat_the_best_in_a_small_world() -> None:
    """Exhaustively, over every ordered slate of the chain: none reaches more than the Bayes slate."""
    taste, orders = CHAINS["polar-scoop"].taste, draw_orders(1, seed=1)
    truth = probabilities(taste, orders)
    every = np.array(list(permutations(range(12), 3)))
    hits = expected_hits(np.repeat(truth, len(every), axis=0), every)
    assert hits.max() == pytest.approx(hit_at(taste, 3, orders))


def test_the_marginal_agrees_with_a_large_sample_of_customers() -> None:
    """The exact sum over 50,400 combinations is what 4,000 drawn customers average to."""
    taste = CHAINS["gelateria-sole"].taste
    rng = np.random.default_rng(3)
    situation = draw_context(rng, "station")
    sample = probabilities(taste, [(draw_visible(rng), situation) for _ in range(4000)])
    exact = marginal_probabilities(taste, situation)
    assert exact.sum() == pytest.approx(1.0)
    assert np.all(np.abs(exact - sample.mean(axis=0)) < 5 * sample.std(axis=0) / np.sqrt(4000))


def test_a_padded_slate_counts_what_it_holds() -> None:
    truth = np.array([[0.5, 0.3, 0.2]])
    assert expected_hits(truth, np.array([[1, -1, -1]]))[0] == pytest.approx(0.3)


def test_best_slates_put_the_most_likely_first() -> None:
    assert best_slates(np.array([[0.1, 0.6, 0.3]]), 2).tolist() == [[1, 2]]


@pytest.mark.parametrize("tenant", CHAINS)
def test_best_sellers_order_the_whole_catalogue_by_market_share(tenant: str) -> None:
    taste = CHAINS[tenant].taste
    order, shares = best_sellers(taste), market_shares(taste)
    assert sorted(order) == list(range(len(CHAINS[tenant].flavours)))
    assert np.all(np.diff(shares[list(order)]) <= 0)
    assert shares.sum() == pytest.approx(1.0)
