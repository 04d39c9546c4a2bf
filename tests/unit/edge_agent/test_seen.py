from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_agent.impression import Reason
from edge_agent.menu import Menu
from edge_agent.ports import Frame
from edge_agent.seen import look, policies
from edge_agent.shelf import Shelf
from inference import BrokenAnswer, Context, FlavourModel, FrameError
from tests.builders.tiny_model import build_model_dir, painted_frame

NOW_NS = 10_000_000_000


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    model = FlavourModel.load(build_model_dir(tmp_path_factory.mktemp("model"), golden=False))
    return Shelf.lay(model, Menu().change(["mango", "mint", "coffee", "cherry"], ()), ())


def frame(age_ms: float = 0, flavour: str = "mango") -> Frame:
    return Frame(painted_frame(flavour), NOW_NS - int(age_ms * 1e6), 1)


def test_a_fresh_picture_gives_a_recommendation(shelf: Shelf) -> None:
    seen = look(frame(age_ms=20), Context(), shelf, now_ns=NOW_NS, max_age_ms=100)
    assert seen.reason is seen.error is None
    assert seen.frame_age_ms == 20
    assert seen.recommendation is not None
    chosen = policies(seen.recommendation, shelf)
    assert chosen.top[0] == "mango"
    assert set(chosen.scores) == {"mango", "mint", "coffee", "cherry"}
    assert list(chosen.top) == sorted(chosen.scores, key=chosen.scores.__getitem__, reverse=True)[:3]
    assert chosen.chances(chosen.top) == pytest.approx(seen.recommendation.probability, abs=1e-5)


@pytest.mark.parametrize(("age_ms", "reason"), [(100, None), (100.1, Reason.CAMERA_AWAY)])
def test_the_age_of_the_picture_decides(shelf: Shelf, age_ms: float, reason: Reason | None) -> None:
    assert look(frame(age_ms), Context(), shelf, now_ns=NOW_NS, max_age_ms=100).reason is reason


def test_a_picture_from_the_future_is_new(shelf: Shelf) -> None:
    """Camera and agent read their clocks at different moments."""
    seen = look(frame(age_ms=-1), Context(), shelf, now_ns=NOW_NS, max_age_ms=100)
    assert (seen.frame_age_ms, seen.reason) == (0, None)


def test_nobody_is_a_reason_that_keeps_its_recommendation(shelf: Shelf) -> None:
    dark = Frame(np.zeros((480, 640, 3), np.uint8), NOW_NS, 1)
    seen = look(dark, Context(), shelf, now_ns=NOW_NS, max_age_ms=100)
    assert seen.reason is Reason.NOBODY
    assert seen.nobody is not None
    assert seen.nobody > 0.99


def test_without_model_or_picture_there_is_a_reason(shelf: Shelf) -> None:
    bare = replace(shelf, model=None)
    assert look(frame(), Context(), bare, now_ns=NOW_NS, max_age_ms=100).reason is Reason.NO_MODEL
    assert look(None, Context(), shelf, now_ns=NOW_NS, max_age_ms=100).reason is Reason.CAMERA_AWAY


@pytest.mark.parametrize("way", ["nan_scores", "fails"])
def test_a_broken_model_is_told_not_raised(tmp_path: Path, way: str) -> None:
    """One that answers NaN, and one that cannot be run."""
    broken = FlavourModel.load(build_model_dir(tmp_path, golden=False, **{way: True}))
    seen = look(frame(), Context(), Shelf.lay(broken, Menu(), ()), now_ns=NOW_NS, max_age_ms=100)
    assert seen.reason is Reason.MODEL_FAILED
    assert isinstance(seen.error, BrokenAnswer)


def test_a_camera_without_pixels_is_told_not_raised(shelf: Shelf) -> None:
    flat = Frame(np.zeros((0, 0, 3), np.uint8), NOW_NS, 1)
    seen = look(flat, Context(), shelf, now_ns=NOW_NS, max_age_ms=100)
    assert seen.reason is Reason.MODEL_FAILED
    assert isinstance(seen.error, FrameError)
