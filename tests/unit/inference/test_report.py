"""The two ways an answer is printed."""

import json

import numpy as np
import pytest

from inference.manifest import Manifest
from inference.recommendation import Recommendation
from inference.report import as_json, as_text
from inference.slate import Slate
from tests.builders.tiny_model import build_manifest

ANSWER = Recommendation((2, 0), (0.75, 0.25), np.zeros(16, np.float32), 0.031, 0.1234, 0.5678)


@pytest.fixture
def manifest() -> Manifest:
    return Manifest.from_json(json.dumps(build_manifest(b"x")).encode())


def test_json_has_the_documented_keys(manifest: Manifest) -> None:
    value = as_json("a.jpg", manifest, ANSWER, Slate("model", ANSWER.top3, ANSWER.probability))
    assert value == {
        "image": "a.jpg",
        "top3": [
            {"flavour": "strawberry", "name": "Strawberry", "probability": 0.75},
            {"flavour": "vanilla", "name": "Vanilla", "probability": 0.25},
        ],
        "source": "model",
        "nobody": 0.031,
        "inference_ms": 0.123,
        "total_ms": 0.568,
        "model": "gelateria-sole-tiny@2026.11.22",
    }


def test_bars_are_as_long_as_their_share(manifest: Manifest) -> None:
    lines = as_text("a.jpg", manifest, ANSWER, Slate("model", ANSWER.top3, ANSWER.probability)).splitlines()
    assert lines[0] == "a.jpg"
    assert lines[1].count("█") == 22
    assert lines[1].endswith("75.0%")
    assert lines[2].count("█") == 7
    assert "nobody 3.1%" in lines[3]


def test_nobody_is_said_plainly(manifest: Manifest) -> None:
    """Best-sellers are called so, and get no bars that look like knowledge."""
    text = as_text("a.jpg", manifest, ANSWER, Slate("bestsellers", (0, 1), (0.5, 0.5)))
    assert "nobody seen" in text
    assert "showing best-sellers" in text
    assert "█" not in text
