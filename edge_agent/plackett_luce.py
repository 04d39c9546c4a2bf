"""Plackett-Luce over flavours: draw an ordered slate without replacement, and tell how likely it was.

Each position goes to one of the flavours that are left with probability proportional to exp(score). Adding
Gumbel noise to every score and sorting draws from exactly that distribution (the Gumbel-top-k trick).
"""

import math
from collections.abc import Mapping, Sequence
from uuid import UUID

from edge_agent.arms import unit_hash


def sample(scores: Mapping[str, float], length: int, *, interaction_id: UUID, seed: str) -> tuple[str, ...]:
    """An ordered slate of `length` flavours, or of all where there are fewer.

    The noise of a flavour is a hash of interaction and flavour, so whoever has the recorded scores draws the
    same slate again, in whatever order the catalogue lists its flavours.
    """

    def noisy(flavour: str) -> float:
        unit = unit_hash(interaction_id, seed=seed, purpose=f"explore/{flavour}")
        return scores[flavour] - math.log(-math.log(unit))

    return tuple(sorted(scores, key=noisy, reverse=True)[:length])


def probability(slate: Sequence[str], scores: Mapping[str, float]) -> float:
    """Exact probability that `sample` with an unknown id gives this ordered slate.

    Raises:
        KeyError: The slate names a flavour without score, or one twice.
    """
    left = dict(scores)
    result = 1.0
    for flavour in slate:
        # Anew for what is left: taking a weight off the total would leave nothing but rounding errors.
        top = max(left.values(), default=0.0)
        total = sum([math.exp(score - top) for score in left.values()])
        result *= math.exp(left.pop(flavour) - top) / total
    return result
