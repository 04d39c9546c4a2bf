"""`synthetic:PATH`: pictures that another process writes into a ring of frames, copied when asked for."""

import os
from pathlib import Path
from threading import Event, Lock, Thread

import numpy as np

from edge_agent.adapters.cameras.health import CameraHealth
from edge_agent.config import CameraConfig
from edge_agent.errors import CameraError
from edge_agent.ports import CameraState, Clock, Frame
from wire_protocol.frame_ring import (
    HEADER_BYTES,
    SLOT_HEADER_BYTES,
    RingFormatError,
    RingLayout,
    read_newest,
    read_slot_header,
)

_WATCH_S = 0.5
_ATTEMPTS = 4
"""Copies until one was not overtaken; a writer laps a copy only when this process was put to sleep in it."""
_JOIN_S = 1.8


class _Ring:
    """An open file; raises CameraError where it is no ring.

    It is read, not mapped: a writer that cuts a mapped file short would end this process with SIGBUS, and the
    pages of a mapping count as memory of every agent that looks into it.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise CameraError(
                f"{path} cannot be read: {error.strerror}", remedy="Start the process that writes it."
            ) from error
        try:
            status = os.fstat(self._file)
            self.layout = _layout(path, self._read(0, HEADER_BYTES), status.st_size)
        except BaseException:
            self.close()
            raise
        self.identity = (status.st_dev, status.st_ino, self.layout)

    def newest(self) -> tuple[int, int]:
        """Number (0: none yet, or cut off) and time of the newest frame."""
        header = self._read(0, HEADER_BYTES)
        return read_newest(memoryview(header)) if len(header) == HEADER_BYTES else (0, 0)

    def copy(self) -> Frame | None:
        """The newest frame in an array of its own; None when there is none, or each copy was overtaken."""
        for _ in range(_ATTEMPTS):
            sequence, _ = self.newest()
            if sequence == 0:
                return None
            offset = self.layout.slot_offset(sequence)
            before = self._slot(offset)
            if before[0] != sequence:
                continue
            pixels = np.empty((self.layout.height, self.layout.width, 3), np.uint8)
            read = os.preadv(self._file, [pixels.data], offset + SLOT_HEADER_BYTES)
            if read == self.layout.frame_bytes and self._slot(offset) == before:
                return Frame(pixels, before[1], sequence)
        return None

    def close(self) -> None:
        """Let the file go; to be called once, when nobody reads any more."""
        os.close(self._file)

    def _slot(self, offset: int) -> tuple[int, int]:
        header = self._read(offset, SLOT_HEADER_BYTES)
        return read_slot_header(memoryview(header), 0) if len(header) == SLOT_HEADER_BYTES else (0, 0)

    def _read(self, offset: int, length: int) -> bytes:
        return os.pread(self._file, length, offset)


def _layout(path: Path, header: bytes, size: int) -> RingLayout:
    """What the header of a file of so many bytes describes. Raises CameraError where that cannot be."""
    try:
        layout = RingLayout.parse(header)
    except RingFormatError as error:
        raise CameraError(f"{path}: {error}", remedy="Name a file that a simulated shop writes.") from error
    if size < layout.total_bytes:
        raise CameraError(
            f"{path} is shorter than its header says", remedy="Start the process that writes it anew."
        )
    return layout


class FrameRingCamera:
    """A `Camera` without a grabber: nothing is copied until somebody looks.

    A slow watcher only notices what nobody asked about: a writer that went away, or came back with a new
    file. The lock keeps the file open while somebody reads from it.
    """

    def __init__(self, path: Path, *, settings: CameraConfig, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._health = CameraHealth(f"synthetic:{path}", stale_after_ms=settings.max_age_ms)
        self._lock = Lock()
        self._ring: _Ring | None = None
        self._frame: Frame | None = None
        self._taken = 0
        self._stop = Event()
        self._open()
        self._watcher = Thread(target=self._watch, name="camera", daemon=True)
        self._watcher.start()

    def latest(self) -> Frame | None:
        """The newest picture, however old; None before the first."""
        with self._lock:
            ring = self._ring
            if ring is None:
                return self._frame
            if ring.newest()[0] != self._taken and (frame := ring.copy()) is not None:
                self._frame, self._taken = frame, frame.sequence
            return self._frame

    def state(self) -> CameraState:
        """What to show on a health page."""
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            sequence, captured_ns = (0, 0) if self._ring is None else self._ring.newest()
        if sequence:
            self._health.picture(captured_ns, now_ns)
        return self._health.state(now_ns)

    def trouble(self) -> CameraError | None:
        """Why the camera was away the last time; None if it never was."""
        return self._health.trouble

    def close(self) -> None:
        """Stop the watcher and let the file go."""
        self._stop.set()
        self._watcher.join(_JOIN_S)
        self._use(None)

    def _watch(self) -> None:
        while not self._stop.wait(_WATCH_S):
            self._look()

    def _look(self) -> None:
        if self.state() is not CameraState.LIVE:
            self._open()

    def _open(self) -> None:
        """Use the file that now lies at the path, unless it is the one in use."""
        try:
            ring = _Ring(self._path)
        except CameraError as error:
            self._use(None)
            self._health.lost(error, self._clock.monotonic_ns())
            return
        if self._ring is not None and self._ring.identity == ring.identity:
            ring.close()
        else:
            self._use(ring)

    def _use(self, ring: _Ring | None) -> None:
        with self._lock:
            before, self._ring, self._taken = self._ring, ring, 0
        if before is not None:
            before.close()
