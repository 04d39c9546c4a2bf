"""Files in memory: one read for many, bounded, and never older than a moment where they may change."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import pytest

from cloud.releases.adapters.memory_files import MemoryFiles
from cloud.releases.cached_files import MOMENT_S, VERSIONED_S, CachedFiles
from cloud.releases.errors import FileMissing, ReleasesAway

if TYPE_CHECKING:
    from cloud.releases.ports import Piece

_CONTENT = bytes(range(256)) * 4
_TARGET = f"targets/releases/7/{hashlib.sha256(_CONTENT).hexdigest()}.model.onnx"
_TIMESTAMP = "metadata/timestamp.json"
_ROOT = "metadata/2.root.json"


class _Stage:
    def __init__(self, room: int = 100_000) -> None:
        self.now_s = 0.0
        self.files = MemoryFiles()
        self.cached = CachedFiles(self.files, room, lambda: self.now_s)

    def whole(self, path: str, tenant: str = "gelato") -> bytes:
        return self.cached.get(tenant, path, 0, 1 << 20).data


def test_a_target_is_read_once() -> None:
    """Whatever the pieces; its name holds its digest."""
    stage = _Stage()
    stage.files.put("gelato", _TARGET, _CONTENT)
    pieces = [stage.cached.get("gelato", _TARGET, offset, 100) for offset in range(0, 1024, 100)]
    assert b"".join(piece.data for piece in pieces) == _CONTENT
    assert {piece.total for piece in pieces} == {1024}
    stage.now_s += 10 * VERSIONED_S
    assert stage.whole(_TARGET) == _CONTENT
    assert len(stage.files.asked) == 2  # a piece, which says how long the whole is, and the whole


def test_a_target_that_is_not_what_its_name_says_is_not_kept() -> None:
    """T8: a file that was half written, or exchanged and put right again, heals within a moment."""
    stage = _Stage()
    stage.files.put("gelato", _TARGET, b"half")
    assert stage.whole(_TARGET) == b"half"
    stage.files.put("gelato", _TARGET, _CONTENT)
    stage.now_s += MOMENT_S
    assert stage.whole(_TARGET) == _CONTENT


@pytest.mark.parametrize(("path", "kept_s"), [(_TIMESTAMP, MOMENT_S), (_ROOT, VERSIONED_S)])
def test_metadata_is_kept_for_so_long_and_no_longer(path: str, kept_s: float) -> None:
    """A timestamp for a moment, what has its version in the name for a minute."""
    stage = _Stage()
    stage.files.put("gelato", path, b"old")
    assert stage.whole(path) == b"old"
    stage.files.put("gelato", path, b"new")
    stage.now_s += kept_s - 0.01
    assert stage.whole(path) == b"old"
    stage.now_s += 0.01
    assert stage.whole(path) == b"new"


def test_that_there_is_no_newer_root_is_remembered_for_a_moment() -> None:
    """A thousand registers ask at once; a new root is seen all the same."""
    stage = _Stage()
    for _ in range(3):
        with pytest.raises(FileMissing):
            stage.whole(_ROOT)
    assert len(stage.files.asked) == 1
    stage.files.put("gelato", _ROOT, b"new")
    stage.now_s += MOMENT_S
    assert stage.whole(_ROOT) == b"new"


def test_chains_share_no_entry() -> None:
    """T7: the same path of another chain is another file."""
    stage = _Stage()
    stage.files.put("gelato", _TIMESTAMP, b"of gelato")
    stage.files.put("bianca", _TIMESTAMP, b"of bianca")
    assert stage.whole(_TIMESTAMP, "gelato") == b"of gelato"
    assert stage.whole(_TIMESTAMP, "bianca") == b"of bianca"


def _target(number: int, size: int) -> tuple[str, bytes]:
    content = bytes([number]) * size
    return f"targets/{hashlib.sha256(content).hexdigest()}.x", content


def test_room_is_bounded_and_what_was_used_least_goes_first() -> None:
    """Names count too, those of missing files among them."""
    stage = _Stage(room=10_000)
    targets = [_target(number, 1_500) for number in range(8)]
    for path, content in targets:
        stage.files.put("gelato", path, content)
        assert stage.whole(path) == content
        assert stage.whole(targets[0][0])
        assert stage.cached.used_bytes <= 10_000
    asked = len(stage.files.asked)
    stage.whole(targets[0][0])
    assert len(stage.files.asked) == asked
    stage.whole(targets[1][0])
    assert len(stage.files.asked) == asked + 1
    for number in range(100):
        with pytest.raises(FileMissing):
            stage.whole(f"targets/{number}")
        assert stage.cached.used_bytes <= 10_000


def test_a_file_that_is_too_large_to_keep_goes_through_in_pieces() -> None:
    """Memory stays bounded by the room, whatever somebody publishes."""
    stage = _Stage(room=10_000)
    path, content = _target(1, 9_000)
    stage.files.put("gelato", path, content)
    assert stage.cached.get("gelato", path, 8_000, 2_000).data == content[8_000:]
    assert len(stage.files.asked) == 1
    assert stage.cached.used_bytes == 0


def test_trouble_is_not_remembered() -> None:
    """The next one tries again."""
    stage = _Stage()
    stage.files.put("gelato", _TARGET, _CONTENT)
    stage.files.away = True
    with pytest.raises(ReleasesAway):
        stage.whole(_TARGET)
    stage.files.away = False
    assert stage.whole(_TARGET) == _CONTENT


class _Slow(MemoryFiles):
    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Semaphore(0)
        self.go = threading.Event()

    def get(self, tenant: str, path: str, offset: int, length: int) -> Piece:
        self.entered.release()
        assert self.go.wait(20)
        return super().get(tenant, path, offset, length)


def test_many_who_ask_at_once_cost_one_read() -> None:
    """The others wait for the first."""
    slow = _Slow()
    slow.put("gelato", _TARGET, _CONTENT)
    cached = CachedFiles(slow, 100_000, lambda: 0.0)
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(cached.get("gelato", _TARGET, 0, 10).data))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    assert slow.entered.acquire(timeout=20)
    slow.go.set()
    for thread in threads:
        thread.join(20)
    assert found == [_CONTENT[:10]] * 8
    assert len(slow.asked) == 2
