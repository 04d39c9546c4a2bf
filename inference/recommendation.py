"""What a model answers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Recommendation:
    """The three flavours for one frame; fewer when fewer are in stock.

    Args:
        top3: Flavour indices, likeliest first.
        probability: Calibrated, among what is in stock; as long as `top3`.
        scores: float32 [F], calibrated logits of every flavour before the stock mask.
        nobody: Probability that nobody stands there; whoever asks compares it with the manifest's threshold.
        inference_ms: The network alone.
        total_ms: From the frame to this answer.
    """

    top3: tuple[int, ...]
    probability: tuple[float, ...]
    scores: NDArray[np.float32]
    nobody: float
    inference_ms: float
    total_ms: float
