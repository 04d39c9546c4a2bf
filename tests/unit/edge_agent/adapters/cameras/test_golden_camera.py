from pathlib import Path
from threading import Event

import numpy as np

from edge_agent.adapters.cameras.golden_camera import HEIGHT, WIDTH, GoldenSource
from tests.builders.records import StandingClock
from tests.builders.tiny_model import build_model_dir, painted_frame

STOPPED = Event()
STOPPED.set()  # does not wait between pictures


def test_the_models_own_frames_are_shown_in_turn(tmp_path: Path) -> None:
    source = GoldenSource(build_model_dir(tmp_path), StandingClock(), STOPPED, fps=1)
    shown = [source.read() for _ in range(16)]
    assert all(picture is not None and picture.pixels.shape == (HEIGHT, WIDTH, 3) for picture in shown)
    colours = {tuple(picture.pixels[0, 0].tolist()) for picture in shown if picture is not None}
    assert tuple(painted_frame("chocolate")[0, 0].tolist()) in colours
    assert len(colours) == 4


def test_without_a_model_a_test_picture_moves(tmp_path: Path) -> None:
    for directory in (None, tmp_path):
        source = GoldenSource(directory, StandingClock(), STOPPED, fps=15)
        first, second = source.read(), [source.read() for _ in range(10)][-1]
        assert first is not None
        assert second is not None
        assert first.pixels.std() > 20
        assert not np.array_equal(first.pixels, second.pixels)


def test_a_picture_is_not_a_window_into_the_next_one() -> None:
    source = GoldenSource(None, StandingClock(), STOPPED, fps=15)
    picture = source.read()
    assert picture is not None
    assert picture.pixels.base is None
