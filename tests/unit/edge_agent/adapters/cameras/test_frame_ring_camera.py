import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_agent.adapters.cameras.frame_ring_camera import FrameRingCamera
from edge_agent.config import CameraConfig
from edge_agent.ports import CameraState
from tests.builders.records import StandingClock
from wire_protocol.frame_ring import (
    HEADER_BYTES,
    SLOT_HEADER_BYTES,
    RingLayout,
    write_newest,
    write_slot_header,
)

LAYOUT = RingLayout(width=64, height=48)


class Writer:
    """A writer on a plain buffer, that can be stopped in the middle of a frame."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(LAYOUT.header() + bytes(LAYOUT.total_bytes - HEADER_BYTES))
        self._map = np.memmap(path, np.uint8, "r+")
        self._view = self._map.data
        self.sequence = 0

    def begin(self, value: int) -> int:
        offset = LAYOUT.slot_offset(self.sequence + 1)
        write_slot_header(self._view, offset, 0, 0)
        start = offset + SLOT_HEADER_BYTES
        self._map[start : start + LAYOUT.frame_bytes] = value
        return offset

    def finish(self, offset: int, captured_ns: int) -> None:
        self.sequence += 1
        write_slot_header(self._view, offset, self.sequence, captured_ns)
        write_newest(self._view, self.sequence, captured_ns)

    def write(self, value: int, captured_ns: int) -> None:
        self.finish(self.begin(value), captured_ns)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "till.ring"


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def cameras(path: Path, clock: StandingClock) -> Iterator[list[FrameRingCamera]]:
    made: list[FrameRingCamera] = []
    yield made
    for camera in made:
        camera.close()


def start(cameras: list[FrameRingCamera], path: Path, clock: StandingClock) -> FrameRingCamera:
    cameras.append(FrameRingCamera(path, settings=CameraConfig(), clock=clock))
    return cameras[-1]


def test_the_newest_frame_is_copied_when_asked_for(
    path: Path, clock: StandingClock, cameras: list[FrameRingCamera]
) -> None:
    writer = Writer(path)
    camera = start(cameras, path, clock)
    assert camera.latest() is None
    assert camera.state() is CameraState.STARTING
    writer.write(5, clock.ns)
    frame = camera.latest()
    assert frame is not None
    assert (frame.sequence, frame.captured_ns) == (1, clock.ns)
    for value in range(10):
        writer.write(value, clock.ns)
    assert (frame.pixels == 5).all(), "a frame that was handed out never changes"
    newest = camera.latest()
    assert newest is not None
    assert newest.sequence == 11
    assert camera.latest() is newest, "no second copy of the same frame"
    assert camera.state() is CameraState.LIVE


def test_a_frame_that_is_being_overwritten_is_not_taken(
    path: Path, clock: StandingClock, cameras: list[FrameRingCamera]
) -> None:
    """A writer that laps a sleeping reader is noticed, and the frame before is kept."""
    writer = Writer(path)
    camera = start(cameras, path, clock)
    for value in range(4):
        writer.write(value, clock.ns)
    kept = camera.latest()
    writer.write(4, clock.ns)
    # The slot of frame 5 is cleared again, as if the writer had come round while we slept.
    offset = LAYOUT.slot_offset(5)
    write_slot_header(writer._view, offset, 0, 0)
    assert camera.latest() is kept


def test_a_writer_that_stops_is_stale_and_one_that_returns_is_live(
    path: Path, clock: StandingClock, cameras: list[FrameRingCamera]
) -> None:
    writer = Writer(path)
    camera = start(cameras, path, clock)
    writer.write(1, clock.ns)
    assert camera.state() is CameraState.LIVE
    clock.advance(1500)
    assert camera.state() is CameraState.STALE
    writer.write(2, clock.ns)
    assert camera.state() is CameraState.LIVE


def test_a_new_file_at_the_path_is_opened(
    path: Path, clock: StandingClock, cameras: list[FrameRingCamera]
) -> None:
    Writer(path).write(1, clock.ns)
    camera = start(cameras, path, clock)
    assert camera.latest() is not None
    path.unlink()
    clock.advance(1500)
    camera._look()
    assert camera.state() is CameraState.AWAY
    Writer(path).write(9, clock.ns)
    camera._look()
    frame = camera.latest()
    assert frame is not None
    assert (frame.pixels == 9).all()
    assert camera.state() is CameraState.LIVE


def test_a_file_that_is_cut_short_is_away_and_harms_nobody(
    path: Path, clock: StandingClock, cameras: list[FrameRingCamera]
) -> None:
    """Reading a mapped page behind the end of its file would end the agent."""
    writer = Writer(path)
    writer.write(7, clock.ns)
    camera = start(cameras, path, clock)
    kept = camera.latest()
    writer.write(8, clock.ns)
    os.truncate(path, LAYOUT.slot_offset(2) + 100)
    assert camera.latest() is kept, "half a frame is none"
    os.truncate(path, 10)
    assert camera.latest() is kept
    clock.advance(1500)
    camera._look()
    assert camera.state() is CameraState.AWAY
    assert "starts with" in str(camera.trouble())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        (b"", "starts with"),
        (b"x" * 100, "not a frame ring"),
        (LAYOUT.header(), "shorter than its header"),
    ],
)
def test_what_is_no_ring_is_away_and_says_why(
    path: Path,
    clock: StandingClock,
    cameras: list[FrameRingCamera],
    content: bytes | None,
    reason: str,
) -> None:
    if content is not None:
        path.write_bytes(content)
    camera = start(cameras, path, clock)
    assert camera.state() is CameraState.AWAY
    assert reason in str(camera.trouble())
    assert camera.latest() is None
