"""Recorded clips, one picture after the other, as fast as they can be read."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.adapters.cameras.picture_source import decode_file, pictures_in
from edge_agent.camera_spec import PICTURE_SUFFIXES
from edge_agent.errors import CameraError
from inference.picture import LOCAL, PictureDecoder

_DEFAULT_FPS = 25.0
_MAX_FPS = 240.0


@dataclass(frozen=True, slots=True)
class ClipPicture:
    """One picture and its time in the clip."""

    at_s: float
    pixels: NDArray[np.uint8]


class Clip:
    """A file that FFmpeg can read, a picture, or a folder of pictures; iterate once, then close.

    Args:
        path: What to read.
        fps: Pictures per second, where the clip does not say or says it wrongly.

    Raises:
        CameraError: Not there, or nothing that can be read.
    """

    def __init__(self, path: Path, *, fps: float | None = None) -> None:
        self.path = path
        self._resources = ExitStack()
        if path.is_dir() or path.suffix.lower() in PICTURE_SUFFIXES:
            self._files = pictures_in(path) if path.is_dir() else [path]
            self.length: int | None = len(self._files)
            self.fps = fps or _DEFAULT_FPS
            self._pictures = self._from_files()
        else:
            capture = self._open(path)
            self.length = _count(capture)
            self.fps = fps or _said_fps(capture)
            self._pictures = self._from_capture(capture)

    def __iter__(self) -> Iterator[ClipPicture]:
        for index, pixels in enumerate(self._pictures):
            yield ClipPicture(index / self.fps, pixels)

    def close(self) -> None:
        """Give file and worker back."""
        self._resources.close()

    def _open(self, path: Path) -> cv2.VideoCapture:
        if not path.is_file():
            raise CameraError(f"there is no {path}", remedy="Name a clip, a picture or a folder of pictures.")
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        self._resources.callback(capture.release)
        if not capture.isOpened():
            self.close()
            raise CameraError(
                f"{path} is no clip that FFmpeg can read",
                remedy="Use .mp4, .avi, .mkv or .webm, or a folder of .jpg or .png.",
            )
        return capture

    def _from_capture(self, capture: cv2.VideoCapture) -> Iterator[NDArray[np.uint8]]:
        read = 0
        while True:
            try:
                ok, pixels = capture.read()
            except cv2.error as error:
                raise CameraError(
                    f"{self.path} has a picture that cannot be decoded after the first {read}",
                    remedy="Convert the clip again, e.g. to .mp4.",
                ) from error
            if not ok:
                break
            read += 1
            yield np.asarray(pixels, np.uint8)
        if not read:
            raise CameraError(f"{self.path} has no picture that can be read", remedy="Convert it to .mp4.")

    def _from_files(self) -> Iterator[NDArray[np.uint8]]:
        decoder = self._resources.enter_context(PictureDecoder(LOCAL))
        for path in self._files:
            yield decode_file(decoder, path)


def _count(capture: cv2.VideoCapture) -> int | None:
    """How many pictures the container says it has; None where it does not."""
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    return count if count > 0 else None


def _said_fps(capture: cv2.VideoCapture) -> float:
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    return fps if 0 < fps <= _MAX_FPS else _DEFAULT_FPS
