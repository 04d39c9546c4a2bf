"""What the best possible recommender reaches, computed from the taste itself.

Nothing here is estimated from sales: an expected hit is a sum of true probabilities. The optimum
without a picture marginalises over *all* combinations of visible attributes, exactly.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.attributes import VISIBLE_SHARES, Visible
from simulator.customers import SHOP_KINDS, Situation, draw_context
from simulator.taste import INTERACTIONS, FloatArray, Taste, conditions

Order = tuple[Visible, Situation]
Slates = NDArray[np.integer]

# The market's best-sellers are a mean over this many situations of each shop kind, from a fixed seed.
_MARKET = 100
_MARKET_SEED = 20261122

# Situations marginalised at once: 50,400 combinations x 64 x 8 bytes are 26 MB.
_BATCH = 64


def probabilities(taste: Taste, orders: Iterable[Order]) -> FloatArray:
    """Return the true probabilities [N, F] of each order."""
    return np.array([taste.probabilities(visible, situation) for visible, situation in orders])


def best_slates(scores: FloatArray, k: int) -> NDArray[np.int64]:
    """Return the k flavours with the highest score of each row [N, k], the best first."""
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def expected_hits(truth: FloatArray, slates: Slates) -> FloatArray:
    """Return the probability [N] that the purchase is on each slate; -1 pads a short slate."""
    slates = np.asarray(slates)
    picked = np.take_along_axis(truth, np.maximum(slates, 0), axis=1)
    hits: FloatArray = np.where(slates >= 0, picked, 0.0).sum(axis=1)
    return hits


def hit_at(taste: Taste, k: int, orders: Sequence[Order]) -> float:
    """Return the mean hit@k of the Bayes-optimal recommender over these orders."""
    truth = probabilities(taste, orders)
    return float(expected_hits(truth, best_slates(truth, k)).mean())


def slate_hit(taste: Taste, orders: Sequence[Order], slates: Slates) -> float:
    """Return the mean expected hit of the given slates [N, k]."""
    return float(expected_hits(probabilities(taste, orders), slates).mean())


def best_sellers_hit_at(taste: Taste, k: int, orders: Sequence[Order]) -> float:
    """Return the mean hit@k of always showing the k best-sellers."""
    slates = np.tile(np.array(best_sellers(taste)[:k]), (len(orders), 1))
    return slate_hit(taste, orders, slates)


def context_only_hit_at(taste: Taste, k: int, orders: Sequence[Order]) -> float:
    """Return the mean hit@k of the best recommender that never sees the customer."""
    scores = marginals(taste, [situation for _, situation in orders])
    return slate_hit(taste, orders, best_slates(scores, k))


def marginal_probabilities(taste: Taste, situation: Situation) -> FloatArray:
    """Return the probabilities [F] in a situation, marginalised exactly over the visible attributes."""
    marginal: FloatArray = marginals(taste, [situation])[0]
    return marginal


def marginals(taste: Taste, situations: Sequence[Situation]) -> FloatArray:
    """Return `marginal_probabilities` of each situation [N, F]; many at once cost less than one by one."""
    result = np.empty((len(situations), len(taste.base)))
    groups: dict[tuple[bool, ...], list[int]] = {}
    for position, situation in enumerate(situations):
        active = conditions(situation)
        groups.setdefault(tuple(active[condition] for *_, condition in INTERACTIONS), []).append(position)
    for active_set, positions in groups.items():
        weights, shares = _attribute_odds(taste, active_set)
        for start in range(0, len(positions), _BATCH):
            batch = positions[start : start + _BATCH]
            logits = np.array([taste.context_logits(situations[position]) for position in batch])
            odds = np.exp(logits - logits.max(axis=1, keepdims=True))
            scaled_shares = shares[:, None] / (weights @ odds.T)
            result[batch] = odds * (scaled_shares.T @ weights)
    return result


@functools.cache
def market_shares(taste: Taste) -> FloatArray:
    """Return the share [F] of all sales of each flavour, over `_MARKET` situations of each shop kind."""
    rng = np.random.default_rng(_MARKET_SEED)
    situations = [draw_context(rng, kind) for kind in SHOP_KINDS for _ in range(_MARKET)]
    shares: FloatArray = np.mean(
        [marginal_probabilities(taste, situation) for situation in situations], axis=0
    )
    return shares


def best_sellers(taste: Taste) -> tuple[int, ...]:
    """Return the flavour indices by market share, the most sold first."""
    return tuple(int(flavour) for flavour in np.argsort(-market_shares(taste), kind="stable"))


@functools.lru_cache(maxsize=32)
def _attribute_odds(taste: Taste, active: tuple[bool, ...]) -> tuple[FloatArray, FloatArray]:
    """Return exp(attribute logits) of every combination [V, F], and each combination's share [V].

    Attributes and context add up in the logits apart from the interactions, so one table per set of
    active interactions serves every situation.
    """
    names = list(VISIBLE_SHARES)
    counts = [len(VISIBLE_SHARES[name]) for name in names]
    grid = np.indices(counts).reshape(len(counts), -1)
    logits = sum(taste.attributes[name][grid[axis]] for axis, name in enumerate(names))
    shares = np.ones(grid.shape[1])
    for axis, name in enumerate(names):
        shares *= np.array(list(VISIBLE_SHARES[name].values()))[grid[axis]]
    for row, (_, attribute, level, _) in enumerate(INTERACTIONS):
        if active[row]:
            matching = grid[names.index(attribute)] == list(VISIBLE_SHARES[attribute]).index(level)
            logits = logits + matching[:, None] * taste.interactions[row]
    return np.exp(logits), shares
