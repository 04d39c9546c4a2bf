"""The model's three flavours, or best-sellers when nobody stands there."""

import json

import numpy as np
import pytest

from inference.manifest import Manifest
from inference.recommendation import Recommendation
from inference.slate import choose_slate
from tests.builders.tiny_model import build_manifest


def answer(nobody: float) -> Recommendation:
    scores = np.zeros(16, np.float32)
    scores[7] = 50
    return Recommendation((7, 8, 9), (0.8, 0.1, 0.1), scores, nobody, 0.1, 0.2)


@pytest.fixture
def manifest() -> Manifest:
    return Manifest.from_json(json.dumps(build_manifest(b"x")).encode())


def test_somebody_gets_what_the_model_says(manifest: Manifest) -> None:
    slate = choose_slate(manifest, answer(nobody=0.49))
    assert (slate.source, slate.flavours, slate.probability) == ("model", (7, 8, 9), (0.8, 0.1, 0.1))


def test_nobody_gets_best_sellers(manifest: Manifest) -> None:
    """From the threshold on."""
    slate = choose_slate(manifest, answer(nobody=0.5))
    assert (slate.source, slate.flavours) == ("bestsellers", (0, 1, 2))
    assert max(slate.probability) < 0.01


def test_sold_out_best_sellers_are_left_out(manifest: Manifest) -> None:
    """The probabilities are those among what is left."""
    stock = np.array([index in {2, 7} for index in range(16)])
    slate = choose_slate(manifest, answer(nobody=1.0), stock)
    assert slate.flavours == (2, 7)
    assert slate.probability == pytest.approx((0, 1), abs=1e-6)


def test_an_empty_menu_gives_an_empty_slate(manifest: Manifest) -> None:
    assert choose_slate(manifest, answer(nobody=1.0), np.zeros(16, np.bool_)).flavours == ()
