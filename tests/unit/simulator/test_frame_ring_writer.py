import mmap
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from simulator.frame_ring_writer import FrameRingWriter
from wire_protocol.frame_ring import (
    HEADER_BYTES,
    SLOT_HEADER_BYTES,
    SLOTS,
    RingLayout,
    read_newest,
    read_slot_header,
)

_WIDTH, _HEIGHT = 8, 6


def _frame(value: int) -> np.ndarray:
    return np.full((_HEIGHT, _WIDTH, 3), value, np.uint8)


def _pixels(content: bytes, sequence: int) -> bytes:
    layout = RingLayout.parse(content[:HEADER_BYTES])
    start = layout.slot_offset(sequence) + SLOT_HEADER_BYTES
    return content[start : start + layout.frame_bytes]


def test_a_reader_finds_the_newest_frame_with_number_and_time(tmp_path: Path) -> None:
    path = tmp_path / "ring"
    with FrameRingWriter(path, _WIDTH, _HEIGHT) as ring:
        assert read_newest(memoryview(path.read_bytes())) == (0, 0)
        for number in range(1, SLOTS + 3):
            assert ring.write(_frame(number), captured_ns=1000 * number) == number
        content = path.read_bytes()
    newest = SLOTS + 2
    assert read_newest(memoryview(content)) == (newest, 1000 * newest)
    offset = RingLayout(_WIDTH, _HEIGHT).slot_offset(newest)
    assert read_slot_header(memoryview(content), offset) == (newest, 1000 * newest)
    assert _pixels(content, newest) == _frame(newest).tobytes()


def test_older_frames_stay_until_their_slot_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "ring"
    with FrameRingWriter(path, _WIDTH, _HEIGHT) as ring:
        for number in range(1, SLOTS + 1):
            ring.write(_frame(number), captured_ns=number)
        content = path.read_bytes()
    assert [_pixels(content, number)[0] for number in range(1, SLOTS + 1)] == [1, 2, 3, 4]


def test_a_frame_that_is_a_view_is_written_in_order(tmp_path: Path) -> None:
    """A flipped picture is no contiguous memory; its pixels still arrive in rows."""
    mirrored = np.arange(_HEIGHT * _WIDTH * 3, dtype=np.uint8).reshape(_HEIGHT, _WIDTH, 3)[:, ::-1]
    path = tmp_path / "ring"
    with FrameRingWriter(path, _WIDTH, _HEIGHT) as ring:
        ring.write(mirrored, captured_ns=1)
        assert _pixels(path.read_bytes(), 1) == mirrored.tobytes()


@pytest.mark.parametrize("wrong", [np.zeros((_HEIGHT, _WIDTH, 3), np.float32), np.zeros((2, 2, 3), np.uint8)])
def test_other_shapes_and_types_are_refused(tmp_path: Path, wrong: np.ndarray) -> None:
    with (
        FrameRingWriter(tmp_path / "ring", _WIDTH, _HEIGHT) as ring,
        pytest.raises(ValueError, match=r"the ring takes uint8 \[6, 8, 3\]"),
    ):
        ring.write(wrong, captured_ns=1)


def test_only_the_owner_may_look_and_nothing_is_left(tmp_path: Path) -> None:
    with FrameRingWriter(tmp_path / "ring", _WIDTH, _HEIGHT) as ring:
        assert stat.S_IMODE(ring.path.stat().st_mode) == 0o600
        assert [path.name for path in tmp_path.iterdir()] == ["ring"]
    assert list(tmp_path.iterdir()) == []


def test_a_second_writer_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    with FrameRingWriter(tmp_path / "ring", _WIDTH, _HEIGHT) as ring:
        ring.write(_frame(7), captured_ns=1)
        with pytest.raises(FileExistsError):
            FrameRingWriter(tmp_path / "ring", _WIDTH, _HEIGHT)
        assert _pixels(ring.path.read_bytes(), 1)[0] == 7
        assert [path.name for path in tmp_path.iterdir()] == ["ring"]


def test_a_reader_keeps_its_mapping_when_the_writer_goes(tmp_path: Path) -> None:
    """An agent whose camera disappears reads old pictures, not freed memory."""
    path = tmp_path / "ring"
    with FrameRingWriter(path, _WIDTH, _HEIGHT) as ring:
        ring.write(_frame(9), captured_ns=5)
        descriptor = os.open(path, os.O_RDONLY)
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as mapped:
        os.close(descriptor)
        assert _pixels(bytes(mapped), 1)[0] == 9
