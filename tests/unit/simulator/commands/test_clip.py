import argparse
from pathlib import Path

import cv2
import pytest

from simulator.commands import clip
from wire_protocol.errors import OperatorError


def _arguments(output: Path, seconds: float) -> argparse.Namespace:
    return argparse.Namespace(output=output, chain="polar-scoop", shop="arcade", seed=1, seconds=seconds)


def test_a_clip_shows_customers_who_come_and_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "clip.avi"
    assert clip.run(_arguments(output, 4.0)) == 0
    read = cv2.VideoCapture(str(output))
    assert read.get(cv2.CAP_PROP_FRAME_COUNT) == 60
    assert read.get(cv2.CAP_PROP_FRAME_WIDTH) == 640
    read.release()
    assert "of arcade with" in capsys.readouterr().out


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot be written") as caught:
        clip.run(_arguments(tmp_path / "no" / "clip.avi", 1.0))
    assert ".avi" in caught.value.remedy
