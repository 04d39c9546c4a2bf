"""The state folder is its owner's alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud.errors import StateFolderError
from cloud.state_folder import prepare_folder


def test_it_is_made_private(tmp_path: Path) -> None:
    assert prepare_folder(tmp_path / "state") is True
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert prepare_folder(tmp_path / "state") is False


def test_an_empty_folder_is_made_private(tmp_path: Path) -> None:
    """A new volume of a container is open to all."""
    (tmp_path / "state").mkdir(mode=0o755)
    prepare_folder(tmp_path / "state")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_look_into_is_refused(tmp_path: Path) -> None:
    """What is in it may have been read already."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    (folder / "a.key").touch()
    with pytest.raises(StateFolderError, match="others may look into") as refused:
        prepare_folder(folder)
    assert "chmod 700" in refused.value.remedy


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(StateFolderError, match="cannot be used"):
        prepare_folder(tmp_path / "state")
