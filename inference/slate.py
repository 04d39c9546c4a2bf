"""What is shown after a model answered: its three flavours, or best-sellers for nobody. Pure."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inference.manifest import SLATE, Manifest
from inference.recommendation import Recommendation


@dataclass(frozen=True, slots=True)
class Slate:
    """Flavour indices to show, with the model's probability of each, and whose choice they are."""

    source: Literal["model", "bestsellers"]
    flavours: tuple[int, ...]
    probability: tuple[float, ...]


def choose_slate(
    manifest: Manifest, recommendation: Recommendation, in_stock: NDArray[np.bool_] | None = None
) -> Slate:
    """The model's answer, unless `nobody` reaches the manifest's threshold.

    Args:
        manifest: Of the model that answered.
        recommendation: Its answer.
        in_stock: The mask that the model was given, bool [F]; None when everything is in stock.
    """
    if not manifest.means_nobody(recommendation.nobody):
        return Slate("model", recommendation.top3, recommendation.probability)
    stock = np.ones(len(manifest.flavours), np.bool_) if in_stock is None else in_stock
    ranked = [index for index in map(manifest.index_of, manifest.bestsellers) if stock[index]]
    shown = tuple(ranked[:SLATE])
    chance = _softmax(recommendation.scores, stock)
    return Slate("bestsellers", shown, tuple(float(chance[index]) for index in shown))


def _softmax(scores: NDArray[np.float32], stock: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Probabilities among what is in stock, float64 [F]; all 0 when nothing is."""
    chance = np.zeros(len(scores))
    if stock.any():
        sold = scores[stock].astype(np.float64)
        weight = np.exp(sold - sold.max())
        chance[stock] = weight / weight.sum()
    return chance
