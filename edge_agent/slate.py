"""From scores, stock and arm to the slate that is shown, with the probability that it is shown."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from edge_agent import plackett_luce
from edge_agent.arms import ArmShares
from edge_agent.impression import Arm, Reason, Source

SLATE_LENGTH = 3


@dataclass(frozen=True, slots=True)
class Slate:
    """Flavour ids, best first, and how they came about."""

    flavours: tuple[str, ...]
    source: Source
    reason: Reason | None
    propensity: float
    """Probability of this ordered slate over arms and sampling together."""
    probability: tuple[float | None, ...]
    """Calibrated probability of purchase per flavour; None where the model's scores were not used."""


@dataclass(frozen=True, slots=True)
class Policies:
    """The slates of one moment that arms choose from; every arm sees the same stock."""

    top: tuple[str, ...]
    """The model's own slate."""
    bestsellers: tuple[str, ...]
    scores: Mapping[str, float]
    """Calibrated logits of what is in stock."""

    def choose(self, arm: Arm, shares: ArmShares, *, interaction_id: UUID, seed: str) -> Slate:
        """The slate of this arm."""
        match arm:
            case Arm.MODEL:
                flavours = self.top
            case Arm.EXPLORE:
                flavours = plackett_luce.sample(
                    self.scores, SLATE_LENGTH, interaction_id=interaction_id, seed=seed
                )
            case Arm.BESTSELLERS:
                flavours = self.bestsellers
        control = arm is Arm.BESTSELLERS
        return Slate(
            flavours,
            Source.BESTSELLERS if control else Source.MODEL,
            Reason.CONTROL if control else None,
            self.propensity(flavours, shares),
            self.chances(flavours),
        )

    def propensity(self, flavours: Sequence[str], shares: ArmShares) -> float:
        """Probability that this ordered slate is shown now, whichever arm leads to it."""
        return (
            shares.model * (flavours == self.top)
            + shares.bestsellers * (flavours == self.bestsellers)
            + shares.explore * plackett_luce.probability(flavours, self.scores)
        )

    def chances(self, flavours: Sequence[str]) -> tuple[float, ...]:
        """The model's calibrated probability of each flavour, among what is in stock."""
        top = max(self.scores.values(), default=0.0)
        weights = {flavour: math.exp(score - top) for flavour, score in self.scores.items()}
        total = sum(weights.values())
        return tuple(weights[flavour] / total for flavour in flavours)


def in_stock_bestsellers(bestsellers: Sequence[str], in_stock: Sequence[str]) -> tuple[str, ...]:
    """The first three best-sellers that are in stock."""
    available = frozenset(in_stock)
    return tuple(flavour for flavour in bestsellers if flavour in available)[:SLATE_LENGTH]


def fallback(bestsellers: tuple[str, ...], reason: Reason) -> Slate:
    """Best-sellers because there is nothing better: every arm shows them, so the propensity is 1."""
    return Slate(bestsellers, Source.BESTSELLERS, reason, 1.0, (None,) * len(bestsellers))
