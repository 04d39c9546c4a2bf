from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.pictures import NoGoldenFramesError, as_jpeg, camera_frames
from tests.builders.tiny_model import build_model_dir


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720)])
def test_frames_have_the_camera_s_size_and_all_differ(tmp_path: Path, width: int, height: int) -> None:
    """No two frames are alike, and each is a picture that can be encoded and read again."""
    frames = camera_frames(build_model_dir(tmp_path / "model"), width, height, 5)
    assert {frame.shape for frame in frames} == {(height, width, 3)}
    assert len({frame.tobytes() for frame in frames}) == 5
    again = cv2.imdecode(np.frombuffer(as_jpeg(frames[0]), np.uint8), cv2.IMREAD_COLOR)
    assert again is not None
    assert again.shape == (height, width, 3)


def test_frames_show_customers(tmp_path: Path) -> None:
    """The golden frame of nobody, which is black, is left out."""
    frames = camera_frames(build_model_dir(tmp_path / "model"), 64, 48, 6)
    assert min(float(frame.mean()) for frame in frames) > 20


def test_frames_are_the_same_every_time(tmp_path: Path) -> None:
    """Two runs of the benchmark measure on the same pictures."""
    folder = build_model_dir(tmp_path / "model")
    first, second = camera_frames(folder, 64, 48, 3), camera_frames(folder, 64, 48, 3)
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_a_model_without_pictures_says_what_to_do(tmp_path: Path) -> None:
    """The message names the missing file and the option."""
    with pytest.raises(NoGoldenFramesError, match=r"golden\.json.*--model"):
        camera_frames(build_model_dir(tmp_path / "model", golden=False), 64, 48, 1)
