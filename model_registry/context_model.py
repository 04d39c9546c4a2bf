"""What can be learned without looking: a logistic model of the context, the baseline to beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

FloatArray = NDArray[np.float64]
_PENALTY = 1e-4


def expand(context: NDArray[np.floating]) -> FloatArray:
    """Return encoded contexts [N, C] with their pairwise products and a constant [N, 1 + C + C(C+1)/2]."""
    values = np.asarray(context, np.float64)
    left, right = np.triu_indices(values.shape[1])
    return np.hstack([np.ones((len(values), 1)), values, values[:, left] * values[:, right]])


def fit_context_model(
    context: NDArray[np.floating], purchase: NDArray[np.integer], flavours: int
) -> FloatArray:
    """Fit a multinomial logistic regression to purchases; returns its weights [features, F]."""
    inputs = expand(context)
    rows = np.arange(len(purchase))

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        weights = flat.reshape(inputs.shape[1], flavours)
        scores = inputs @ weights
        scores -= scores.max(axis=1, keepdims=True)
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        grad = np.exp(logs)
        grad[rows, purchase] -= 1.0
        value = -logs[rows, purchase].mean() + _PENALTY * float(flat @ flat)
        return value, (inputs.T @ grad / len(rows)).ravel() + 2 * _PENALTY * flat

    start = np.zeros(inputs.shape[1] * flavours)
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return np.asarray(best.x).reshape(inputs.shape[1], flavours)


def context_probabilities(weights: FloatArray, context: NDArray[np.floating]) -> FloatArray:
    """Return the fitted model's probabilities [N, F]."""
    scores = expand(context) @ weights
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: FloatArray = odds / odds.sum(axis=1, keepdims=True)
    return result
