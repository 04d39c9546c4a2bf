"""Complete releases and the one in the making, in folders."""

from __future__ import annotations

import fcntl
import hashlib
from typing import TYPE_CHECKING

import pytest

from edge_agent.updater.adapters import shelf_folder
from edge_agent.updater.adapters.shelf_folder import FolderShelf
from edge_agent.updater.refusal import Refusal
from wire_protocol.fleet_messages import UpdateReason

if TYPE_CHECKING:
    from pathlib import Path

NAME = "3-abc"
CONTENT = b"network"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def shelf(tmp_path: Path) -> FolderShelf:
    made = FolderShelf(tmp_path / "staging", tmp_path / "releases")
    made.open(NAME)
    return made


def test_a_file_comes_in_parts(shelf: FolderShelf) -> None:
    """And is the file once its digest is right."""
    shelf.append("model.onnx", CONTENT[:3])
    assert shelf.fetched("model.onnx", 100) == 3
    assert not shelf.has("model.onnx", DIGEST)
    shelf.append("model.onnx", CONTENT[3:])
    assert shelf.keep("model.onnx", DIGEST)
    assert shelf.has("model.onnx", DIGEST)
    assert shelf.fetched("model.onnx", 100) == 0


def test_a_wrong_part_is_dropped(shelf: FolderShelf) -> None:
    """So that the next attempt begins at the beginning."""
    shelf.append("model.onnx", b"other")
    assert not shelf.keep("model.onnx", DIGEST)
    assert shelf.fetched("model.onnx", 100) == 0


def test_a_part_that_is_too_long_is_dropped(shelf: FolderShelf) -> None:
    """It can be no part of that file."""
    shelf.append("model.onnx", b"x" * 10)
    assert shelf.fetched("model.onnx", 9) == 0


def test_moved_in_it_is_complete(shelf: FolderShelf, tmp_path: Path) -> None:
    """One rename; what lay there before is gone, and so is what was in the making."""
    shelf.append("model.onnx", CONTENT)
    shelf.keep("model.onnx", DIGEST)
    shelf.write("manifest.json", b"{}")
    (tmp_path / "releases" / NAME).mkdir()
    (tmp_path / "releases" / NAME / "torn").touch()
    assert not shelf.complete(NAME, {"model.onnx": DIGEST}, b"{}")
    shelf.flush()
    shelf.clear_place()
    shelf.move_in()
    shelf.flush_releases()
    shelf.tidy()
    assert shelf.complete(NAME, {"model.onnx": DIGEST}, b"{}")
    assert not shelf.complete(NAME, {"model.onnx": "0" * 64}, b"{}")
    assert not shelf.complete(NAME, {"model.onnx": DIGEST}, b"{ }")
    assert [one.name for one in (tmp_path / "staging").iterdir()] == ["lock"]


def test_other_attempts_are_removed(shelf: FolderShelf, tmp_path: Path) -> None:
    """At most one release is in the making; its own parts stay."""
    shelf.append("model.onnx", CONTENT)
    (tmp_path / "staging" / "2-old").mkdir()
    (tmp_path / "staging" / "stray").touch()
    shelf.close()
    again = FolderShelf(tmp_path / "staging", tmp_path / "releases")
    again.open(NAME)
    assert again.fetched("model.onnx", 100) == len(CONTENT)
    assert sorted(one.name for one in (tmp_path / "staging").iterdir()) == [NAME, "lock"]


def test_two_updaters_do_not_meet(
    shelf: FolderShelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second waits, and then leaves everything as it is."""
    shelf.append("model.onnx", CONTENT)
    monkeypatch.setattr(shelf_folder, "LOCK_WITHIN_S", 0.0)
    second = FolderShelf(tmp_path / "staging", tmp_path / "releases")
    with pytest.raises(Refusal) as caught:
        second.open("4-def")
    assert caught.value.reason is UpdateReason.DISK
    assert caught.value.passing
    assert shelf.fetched("model.onnx", 100) == len(CONTENT)
    shelf.close()
    with (tmp_path / "staging" / "lock").open() as lock:
        second.close()
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_room_is_counted(shelf: FolderShelf) -> None:
    """Bytes that an unprivileged user may still write."""
    assert shelf.room() > 0
