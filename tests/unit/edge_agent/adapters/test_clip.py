from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_agent.adapters.clip import Clip
from edge_agent.errors import CameraError
from tests.builders.clips import write_clip
from tests.builders.tiny_model import painted_frame

LEMON = painted_frame("lemon", width=320, height=240)


def test_a_clip_is_read_to_its_end_with_its_own_times(tmp_path: Path) -> None:
    clip = Clip(write_clip(tmp_path / "a.avi", [(1.2, LEMON)], fps=10))
    pictures = list(clip)
    clip.close()
    assert clip.length == len(pictures) == 12
    assert [picture.at_s for picture in pictures] == pytest.approx([n / 10 for n in range(12)])
    assert np.abs(pictures[-1].pixels.astype(int) - LEMON).max() < 12


def test_a_folder_of_pictures_is_a_clip_of_the_given_pace(tmp_path: Path) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), LEMON)
    clip = Clip(tmp_path, fps=2)
    assert [picture.at_s for picture in clip] == [0.0, 0.5, 1.0]
    clip.close()
    assert clip.length == 3


def test_one_picture_is_a_clip_too(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "0.png"), LEMON)
    clip = Clip(tmp_path / "0.png")
    assert len(list(clip)) == 1
    clip.close()


def test_a_clip_that_is_cut_off_gives_what_it_has(tmp_path: Path) -> None:
    data = write_clip(tmp_path / "a.avi", [(2, LEMON)]).read_bytes()
    (tmp_path / "b.avi").write_bytes(data[: len(data) // 2])
    clip = Clip(tmp_path / "b.avi")
    assert 1 < len(list(clip)) < 20
    clip.close()


@pytest.mark.parametrize(
    ("name", "content"), [("gone.mp4", None), ("text.mp4", b"no clip"), ("empty.avi", b"")]
)
def test_what_is_no_clip_says_so(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CameraError, match=name) as refused:
        Clip(tmp_path / name)
    assert refused.value.remedy
