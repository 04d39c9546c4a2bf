from pathlib import Path

import numpy as np
import pytest

from benchmarks.rows.swap import make_twin
from inference import Context, FlavourModel
from tests.builders.tiny_model import build_model_dir


def test_the_twin_is_another_model_that_answers_the_same(tmp_path: Path) -> None:
    """Digest and version differ, so an exchange loads it; scores do not, so only the exchange is measured."""
    first = FlavourModel.load(build_model_dir(tmp_path / "first"))
    second = FlavourModel.load(make_twin(tmp_path / "first", tmp_path / "twin"))
    frame = np.full((480, 640, 3), 90, np.uint8)
    assert first.digest != second.digest
    assert first.manifest.version != second.manifest.version
    assert first.recommend(frame, Context()).scores == pytest.approx(
        second.recommend(frame, Context()).scores
    )
