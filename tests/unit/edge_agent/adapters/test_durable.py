"""Files that are whole after a power cut."""

import os
from pathlib import Path

import pytest

from edge_agent.adapters.durable import sync_file, sync_folder, write_durably


def test_a_file_is_replaced(tmp_path: Path) -> None:
    """Nothing else is left in the folder."""
    file = tmp_path / "x"
    write_durably(file, b"old")
    write_durably(file, b"new")
    sync_file(file)
    sync_folder(tmp_path)
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_what_cannot_be_written_leaves_the_old(tmp_path: Path) -> None:
    """And no temporary file."""
    place = tmp_path / "x"
    place.mkdir()
    with pytest.raises(OSError, match="directory"):
        write_durably(place, b"new")
    assert list(tmp_path.iterdir()) == [place]


def test_a_file_is_old_or_new_never_torn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """T13: an error before the rename leaves the old content and no litter."""
    path = tmp_path / "file"
    write_durably(path, b"old")

    def refuse(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="Input/output error"):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
