"""Any picture becomes a small JPEG before anything is sent: fewer pixels, and nothing but pixels.

The page for phones (`/try`) does the same with the same numbers.
"""

import threading
from pathlib import Path
from typing import Final, Self, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.errors import RefusedPicture
from inference.picture import LOCAL, PictureDecoder
from inference.picture.read_file import read_picture

LONGEST_SIDE: Final = 640
"""Pixels; the network looks at fewer."""
MOST_BYTES: Final = 140_000
"""With its requests a picture stays below 150 KB of a data plan."""
_QUALITIES: Final = (86, 78, 70, 60, 50, 40)
_SMALLEST_SIDE: Final = 160


class PicturePress:
    """Makes small JPEGs; its guarded decoding process starts with the first picture and stays warm."""

    def __init__(self) -> None:
        self._decoder: PictureDecoder | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def press(self, picture: Path | bytes) -> bytes:
        """A baseline JPEG of at most 640 pixels a side and 140,000 bytes, turned upright, without metadata.

        Args:
            picture: A JPEG, PNG or WebP; its file or its bytes.

        Raises:
            PictureFileError: The file cannot be read.
            RefusedPicture: It is no picture, or not one that may be decoded.
        """
        data = picture if isinstance(picture, bytes) else read_picture(picture, LOCAL.max_bytes)
        try:
            pixels = self._opened().decode(data)
        except RefusedPicture as error:
            if isinstance(picture, bytes):
                raise
            raise RefusedPicture(error.reason, f"{picture}: {error}", remedy=error.remedy) from error
        return small_jpeg(pixels)

    def close(self) -> None:
        """End the decoding process."""
        with self._lock:
            if self._decoder is not None:
                self._decoder.__exit__(None, None, None)
                self._decoder = None

    def _opened(self) -> PictureDecoder:
        with self._lock:
            if self._decoder is None:
                self._decoder = PictureDecoder().__enter__()
            return self._decoder


def small_jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """The JPEG of a picture, uint8 [H, W, 3] BGR: as good as fits.

    Raises:
        RefusedPicture: No size and quality was small enough.
    """
    side = LONGEST_SIDE
    while side >= _SMALLEST_SIDE:
        fitted = _fitted(pixels, side)
        for quality in _QUALITIES:
            done, encoded = cv2.imencode(".jpg", fitted, [cv2.IMWRITE_JPEG_QUALITY, quality])
            if done and encoded.nbytes <= MOST_BYTES:
                return encoded.tobytes()
        side = round(side * 0.75)
    raise RefusedPicture("too-large", "no size of this picture is small enough", remedy="Take another one.")


def _fitted(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    factor = min(1.0, side / max(height, width))
    if factor == 1.0:
        return pixels
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cast("NDArray[np.uint8]", cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
