import numpy as np
import pytest

from model_registry.context_model import context_probabilities, expand, fit_context_model


def test_expansion_has_a_constant_and_every_product() -> None:
    assert expand(np.array([[2.0, 3.0]])).tolist() == [[1.0, 2.0, 3.0, 4.0, 6.0, 9.0]]


def test_a_taste_for_context_is_learned() -> None:
    """Where the context alone decides, the model finds the probabilities that it was drawn from."""
    rng = np.random.default_rng(1)
    context = rng.normal(0, 1, (4000, 2))
    scores = np.stack([context[:, 0], -context[:, 0], context[:, 1]], axis=1)
    truth = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    purchase = np.array([rng.choice(3, p=row) for row in truth])
    weights = fit_context_model(context, purchase, 3)
    found = context_probabilities(weights, context)
    assert float(np.abs(found - truth).mean()) < 0.03


def test_probabilities_sum_to_one_even_for_a_flavour_nobody_bought() -> None:
    rng = np.random.default_rng(2)
    context = rng.normal(0, 1, (50, 2))
    weights = fit_context_model(context, rng.integers(0, 2, 50), 3)
    found = context_probabilities(weights, context)
    assert found.sum(axis=1) == pytest.approx(1.0)
    assert float(found[:, 2].max()) < 0.1
