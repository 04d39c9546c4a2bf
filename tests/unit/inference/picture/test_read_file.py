"""Reading what the operator names."""

import os
from pathlib import Path

import pytest

from inference.errors import PictureFileError
from inference.picture.read_file import read_picture


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_picture(tmp_path / "a", 10) == b"12345"


def test_a_long_file_is_read_just_far_enough(tmp_path: Path) -> None:
    """One byte more than allowed is enough to refuse it."""
    (tmp_path / "a").write_bytes(b"12345")
    assert read_picture(tmp_path / "a", 3) == b"1234"


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(PictureFileError, match="no such file"):
        read_picture(tmp_path / "a", 10)
    with pytest.raises(PictureFileError, match="is no file"):
        read_picture(tmp_path, 10)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """Nobody writes to it; opening it would block for ever."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PictureFileError, match="is no file"):
        read_picture(tmp_path / "pipe", 10)
