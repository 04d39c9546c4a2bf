"""Pictures for the benchmark's cameras: the model's own golden frames, moved and made noisy.

Each differs from the one before in every pixel, as a real camera's do: caches and JPEG sizes then are real.
"""

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

_NOISE_LEVELS = 3.0
"""Standard deviation of a small sensor's noise in a shop's light, in levels of 256."""
_STEP_PX = 4
_QUALITY = 85
"""What MJPEG cameras commonly send."""
_SEED = 20


class NoGoldenFramesError(Exception):
    """The model directory brings no pictures."""


def camera_frames(model_dir: Path, width: int, height: int, count: int) -> list[NDArray[np.uint8]]:
    """`count` frames, uint8 [height, width, 3] BGR, of customers at the till.

    Raises:
        NoGoldenFramesError: `golden/` is missing or a picture in it cannot be read.
    """
    rng = np.random.default_rng(_SEED)
    scenes = [_cover(picture, width, height) for picture in _golden(model_dir)]
    frames = []
    for number in range(count):
        moved = np.roll(scenes[number % len(scenes)], (number % 16) * _STEP_PX, axis=1)
        noise = rng.normal(0.0, _NOISE_LEVELS, moved.shape).astype(np.float32)
        frames.append(np.clip(moved + noise, 0, 255).astype(np.uint8))
    return frames


def as_jpeg(frame: NDArray[np.uint8]) -> bytes:
    """A baseline JPEG of the frame."""
    done, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise ValueError(f"OpenCV could not encode a frame of shape {frame.shape}")
    return bytes(data.tobytes())


def _golden(model_dir: Path) -> list[NDArray[np.uint8]]:
    """Golden pictures with somebody on them, or all when the list names none such."""
    listing = model_dir / "golden" / "golden.json"
    if not listing.is_file():
        raise NoGoldenFramesError(f"there is no {listing}: give a complete model directory with --model")
    rows = json.loads(listing.read_text(encoding="utf-8"))["frames"]
    chosen = [row for row in rows if row["nobody"] < 0.5] or rows
    pictures = []
    for row in chosen:
        picture = cv2.imread(str(listing.parent / row["file"]), cv2.IMREAD_COLOR)
        if picture is None:
            raise NoGoldenFramesError(f"cannot read the golden frame {row['file']} in {listing.parent}")
        pictures.append(np.asarray(picture, np.uint8))
    return pictures


def _cover(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """The picture scaled until it covers width x height, cut to its middle."""
    scale = max(width / picture.shape[1], height / picture.shape[0])
    wide, tall = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
    scaled = cv2.resize(picture, (wide, tall), interpolation=cv2.INTER_LINEAR)
    left, top = (wide - width) // 2, (tall - height) // 2
    return np.asarray(scaled[top : top + height, left : left + width], np.uint8)
