"""The newest camera picture of every register as JPEG, for whoever looks at the page."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE_PX = (384, 288)
QUALITY = 78
PER_SECOND = 4.0
_HEADER = struct.Struct(">BI")


def encode_picture(frame: NDArray[np.uint8]) -> bytes:
    """A frame, uint8 [H, W, 3] BGR, as a small JPEG."""
    small = cv2.resize(frame, SIZE_PX, interpolation=cv2.INTER_AREA)
    encoded, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not encoded:
        raise RuntimeError("OpenCV could not encode a JPEG")
    return bytes(jpeg)


class Pictures:
    """Holds one picture per register; pictures that nobody looks at are not even encoded."""

    def __init__(self, registers: Sequence[str]) -> None:
        self._position = {register: position for position, register in enumerate(registers)}
        self._newest: list[tuple[int, bytes]] = [(0, b"")] * len(registers)
        self._viewers = 0
        self._closed = asyncio.Event()

    @property
    def wanted(self) -> bool:
        """Whether somebody looks."""
        return self._viewers > 0

    def put(self, register: str, jpeg: bytes) -> None:
        """Replace the picture of a register."""
        position = self._position[register]
        number, _ = self._newest[position]
        self._newest[position] = (number + 1, jpeg)

    def close(self) -> None:
        """End all streams."""
        self._closed.set()

    async def stream(self) -> AsyncIterator[bytes]:
        """New pictures as they come: register's position (1 byte), length (4 bytes, big-endian), JPEG.

        One connection for all registers: browsers open six at most to one address. A slow viewer skips
        pictures, because the next one is looked up only when the last one is sent.
        """
        with self._viewer():
            seen = [0] * len(self._newest)
            while not self._closed.is_set():
                for position, (number, jpeg) in enumerate(self._newest):
                    if number != seen[position]:
                        seen[position] = number
                        yield _HEADER.pack(position, len(jpeg)) + jpeg
                await asyncio.sleep(0.5 / PER_SECOND)

    @contextmanager
    def _viewer(self) -> Iterator[None]:
        self._viewers += 1
        try:
            yield
        finally:
            self._viewers -= 1
