"""`synthetic:PATH`: pictures that another process writes into a mapped file, copied when asked for."""

import mmap
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
    """A mapped file; raises CameraError where it is no ring."""

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                self.layout = RingLayout.parse(file.read(HEADER_BYTES))
                status = os.fstat(file.fileno())
                if status.st_size < self.layout.total_bytes:
                    raise CameraError(f"{path} is shorter than its header says")
                self._memory = mmap.mmap(file.fileno(), self.layout.total_bytes, prot=mmap.PROT_READ)
        except OSError as error:
            raise CameraError(
                f"{path} cannot be read: {error.strerror}", remedy="Start the writer."
            ) from error
        except RingFormatError as error:
            raise CameraError(
                f"{path}: {error}", remedy="Name a file that a simulated shop writes."
            ) from error
        self.identity = (status.st_dev, status.st_ino)
        self._view = memoryview(self._memory)

    def newest(self) -> tuple[int, int]:
        """Number (0: none yet) and time of the newest frame."""
        return read_newest(self._view)

    def copy(self) -> Frame | None:
        """The newest frame in an array of its own; None when there is none, or each copy was overtaken."""
        for _ in range(_ATTEMPTS):
            sequence, _ = self.newest()
            if sequence == 0:
                return None
            offset = self.layout.slot_offset(sequence)
            before = read_slot_header(self._view, offset)
            if before[0] != sequence:
                continue
            flat = np.frombuffer(self._view, np.uint8, self.layout.frame_bytes, offset + SLOT_HEADER_BYTES)
            pixels = flat.reshape(self.layout.height, self.layout.width, 3).copy()
            if read_slot_header(self._view, offset) == before:
                return Frame(pixels, before[1], sequence)
        return None


class FrameRingCamera:
    """A `Camera` without a grabber: nothing is copied until somebody looks.

    A slow watcher only notices what nobody asked about: a writer that went away, or came back with a new
    file. A mapping is never closed by hand: a copy in another thread may still read from it.
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
        ring = self._ring
        if ring is not None:
            sequence, captured_ns = ring.newest()
            if sequence:
                self._health.picture(captured_ns, now_ns)
        return self._health.state(now_ns)

    def trouble(self) -> CameraError | None:
        """Why the camera was away the last time; None if it never was."""
        return self._health.trouble

    def close(self) -> None:
        """Stop the watcher."""
        self._stop.set()
        self._watcher.join(_JOIN_S)

    def _watch(self) -> None:
        while not self._stop.wait(_WATCH_S):
            self._look()

    def _look(self) -> None:
        if self.state() is not CameraState.LIVE:
            self._open()

    def _open(self) -> None:
        """Map the file that now lies at the path, unless it is the one that is mapped."""
        try:
            status = self._path.stat()
            if self._ring is not None and self._ring.identity == (status.st_dev, status.st_ino):
                return
            ring = _Ring(self._path)
        except OSError as error:
            self._lose(
                CameraError(f"{self._path}: {error.strerror}", remedy="Start the process that writes it.")
            )
        except CameraError as error:
            self._lose(error)
        else:
            with self._lock:
                self._ring, self._taken = ring, 0

    def _lose(self, error: CameraError) -> None:
        with self._lock:
            self._ring = None
        self._health.lost(error, self._clock.monotonic_ns())
