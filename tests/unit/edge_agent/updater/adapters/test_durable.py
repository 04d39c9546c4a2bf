"""Files that are whole after a power cut."""

from pathlib import Path

import pytest

from edge_agent.updater.adapters.durable import replace_file, sync_file, sync_folder


def test_a_file_is_replaced(tmp_path: Path) -> None:
    """Nothing else is left in the folder."""
    file = tmp_path / "x"
    replace_file(file, b"old")
    replace_file(file, b"new")
    sync_file(file)
    sync_folder(tmp_path)
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_what_cannot_be_written_leaves_the_old(tmp_path: Path) -> None:
    """And no temporary file."""
    place = tmp_path / "x"
    place.mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(place, b"new")
    assert list(tmp_path.iterdir()) == [place]
