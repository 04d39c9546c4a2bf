"""The writing end of a frame ring: rendered pictures become the camera of an agent (`synthetic:PATH`)."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from wire_protocol.frame_ring import (
    HEADER_BYTES,
    SLOT_HEADER_BYTES,
    RingLayout,
    write_newest,
    write_slot_header,
)


class FrameRingWriter:
    """Creates the file of a ring and writes pictures into it; one writer per file.

    Args:
        path: The file; it must not exist yet. Readers find a complete header or no file.
        width: Pixels.
        height: Pixels.

    Raises:
        FileExistsError: Somebody else writes this ring, or died while doing so.
        OSError: The file system has no room for all slots.
    """

    def __init__(self, path: Path, width: int, height: int) -> None:
        self.path = path
        self._layout = RingLayout(width, height)
        self._sequence = 0
        self._map = _create(path, self._layout)
        self._buffer = memoryview(self._map)

    def write(self, frame: NDArray[np.uint8], captured_ns: int) -> int:
        """Publish one picture and return its number, 1 for the first.

        Args:
            frame: BGR, uint8 [height, width, 3] of the ring.
            captured_ns: When it was taken, in nanoseconds of CLOCK_MONOTONIC.

        Raises:
            ValueError: The picture has another shape or type.
        """
        layout = self._layout
        if frame.dtype != np.uint8 or frame.shape != (layout.height, layout.width, 3):
            raise ValueError(
                f"the ring takes uint8 [{layout.height}, {layout.width}, 3], not {frame.dtype} {frame.shape}"
            )
        sequence = self._sequence + 1
        offset = layout.slot_offset(sequence)
        pixels = offset + SLOT_HEADER_BYTES
        # Zero first: a reader that copies while the pixels change sees that it was overtaken.
        write_slot_header(self._buffer, offset, 0, 0)
        self._buffer[pixels : pixels + layout.frame_bytes] = np.ascontiguousarray(frame).data.cast("B")
        write_slot_header(self._buffer, offset, sequence, captured_ns)
        write_newest(self._buffer, sequence, captured_ns)
        self._sequence = sequence
        return sequence

    def close(self) -> None:
        """Unmap and remove the file; an agent that still has it mapped keeps the last picture."""
        self._buffer.release()
        self._map.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _create(path: Path, layout: RingLayout) -> mmap.mmap:
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        # Reserved now: a full disk is an error here, and would be SIGBUS at a later write through the map.
        os.posix_fallocate(descriptor, 0, layout.total_bytes)
        mapped = mmap.mmap(descriptor, layout.total_bytes)
        mapped[:HEADER_BYTES] = layout.header()
        # A link, unlike a rename, never replaces what another writer put there.
        os.link(temporary, path)
    finally:
        os.close(descriptor)
        temporary.unlink()
    return mapped
