"""A picture as the strict profile wants it: baseline JPEG, three components, no metadata, at most 96 KB."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from wire_protocol.errors import TopscoopError
from wire_protocol.limits import PICTURE_MAX_BYTES

_QUALITIES: Final = (88, 80, 70, 60, 45, 30)
_SHRINK: Final = 0.75
_SMALLEST: Final = 16
"""Pixels; `messages.FrameUp` allows no smaller side."""


class PictureTooLargeError(TopscoopError):
    """No quality and size made the picture fit; does not happen with pictures of a camera."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An encoded picture; `jpeg` is memory of its own, to be overwritten after sealing.

    Args:
        jpeg: uint8 [n].
        width: Pixels.
        height: Pixels.
    """

    jpeg: NDArray[np.uint8]
    width: int
    height: int


def encode(pixels: NDArray[np.uint8], *, max_height: int, max_bytes: int = PICTURE_MAX_BYTES) -> Picture:
    """Encode, reducing first the size to `max_height`, then quality, then size again until it fits.

    Args:
        pixels: BGR uint8 [H, W, 3].
        max_height: Pixels.
        max_bytes: Of the JPEG.

    Raises:
        PictureTooLargeError: It does not fit even at 16 pixels.
    """
    for reduced in _sizes(pixels, max_height):
        try:
            for quality in _QUALITIES:
                # OpenCV writes JFIF with no EXIF, so nothing of camera or place comes along.
                options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_PROGRESSIVE, 0]
                done, jpeg = cv2.imencode(".jpg", reduced, options)
                assert done, "OpenCV encodes every BGR picture as JPEG"
                if jpeg.size <= max_bytes:
                    return Picture(jpeg.ravel(), reduced.shape[1], reduced.shape[0])
                jpeg.fill(0)
        finally:
            if reduced is not pixels:
                reduced.fill(0)
    raise PictureTooLargeError("the picture cannot be encoded within its limit")


def _sizes(pixels: NDArray[np.uint8], max_height: int) -> Iterator[NDArray[np.uint8]]:
    height, width = pixels.shape[:2]
    scale = min(1.0, max_height / height)
    while min(height, width) * scale >= _SMALLEST:
        size = (max(_SMALLEST, round(width * scale)), max(_SMALLEST, round(height * scale)))
        if size == (width, height):
            yield pixels
        else:
            yield np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        scale *= _SHRINK
