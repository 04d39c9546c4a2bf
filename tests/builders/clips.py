"""Clips that tests write themselves."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def write_clip(path: Path, scenes: Iterable[tuple[float, NDArray[np.uint8]]], *, fps: float = 10.0) -> Path:
    """MJPEG in AVI: scenes of so many seconds, one after the other."""
    writer = None
    for seconds, pixels in scenes:
        if writer is None:
            size = (pixels.shape[1], pixels.shape[0])
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, size)
            assert writer.isOpened()
        for _ in range(round(seconds * fps)):
            writer.write(pixels)
    assert writer is not None, "a clip has at least one scene"
    writer.release()
    return path
