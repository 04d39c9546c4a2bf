"""Any picture becomes the network's square; training, evaluation and the till all call this very function."""

from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from inference.errors import FrameError

CAMERA_WIDTH, CAMERA_HEIGHT = 640, 480
"""Frames of 640x480 are what models learn from; larger pictures are halved down towards it first."""

_CONVERSION = {1: cv2.COLOR_GRAY2BGR, 4: cv2.COLOR_BGRA2BGR}
_ASPECT_WIDTH, _ASPECT_HEIGHT = 4, 3
_SAMPLED_ROWS = 3


def fit_frame(frame: NDArray[np.uint8], size: int, out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """The part of a picture that a till's camera would see, as uint8 [size, size, 3] BGR.

    The picture is cropped to 4:3 (wide ones around their centre, tall ones keep their upper part, where
    the head is), halved exactly while it is at least twice as high as a camera's frame, and resized
    linearly. A 640x480 frame is one `cv2.resize`, and gets exactly what that gives.

    Args:
        frame: uint8 [H, W, 3] BGR; also [H, W] or [H, W, 1] grey and [H, W, 4] BGRA (alpha is dropped).
        size: Side of the square in pixels.
        out: Where to write: uint8 [size, size, 3], contiguous; a new array when None.

    Raises:
        FrameError: Other type or shape, or no pixels.
    """
    channels = _check(frame)
    top, left, height, width, halvings = _plan(frame.shape[0], frame.shape[1])
    part: MatLike = frame
    if (height, width) != frame.shape[:2]:
        part = frame[top : top + height, left : left + width]
    for _ in range(halvings):
        # Trimmed to even sides, so that every pixel is the mean of exactly four.
        height, width = height // 2, width // 2
        part = cv2.resize(part[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
    if channels != 3:
        part = cv2.cvtColor(part, _CONVERSION[channels])
    if height == size * _SAMPLED_ROWS:
        # Linear sampling at 3:1 hits the middle row of three and nothing else: the same pixels, sooner.
        part = part[1::_SAMPLED_ROWS]
    square = cv2.resize(part, (size, size), dst=out, interpolation=cv2.INTER_LINEAR)
    return cast("NDArray[np.uint8]", square)


def _check(frame: NDArray[np.uint8]) -> int:
    """The number of channels of a frame that may be used."""
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8:
        found = f"{frame.dtype} array" if isinstance(frame, np.ndarray) else type(frame).__name__
        raise FrameError(f"a frame must be a uint8 array, not {found}", remedy="Convert it to 8 bits first.")
    channels = 1 if frame.ndim == 2 else frame.shape[2] if frame.ndim == 3 else 0
    if channels not in {1, 3, 4} or not frame.size:
        raise FrameError(
            f"a frame must have the shape height x width x 3 (BGR), not {frame.shape}",
            remedy="Give one picture that is not empty: BGR, BGRA or grey.",
        )
    return channels


@lru_cache(maxsize=64)
def _plan(height: int, width: int) -> tuple[int, int, int, int, int]:
    """Top, left, height and width of the crop, and how often it is halved."""
    top = left = 0
    if width * _ASPECT_HEIGHT > height * _ASPECT_WIDTH:
        cropped = max(1, height * _ASPECT_WIDTH // _ASPECT_HEIGHT)
        left, width = (width - cropped) // 2, cropped
    else:
        height = max(1, width * _ASPECT_HEIGHT // _ASPECT_WIDTH)
    halvings = 0
    while height >> halvings >= 2 * CAMERA_HEIGHT:
        halvings += 1
    return top, left, height, width, halvings
