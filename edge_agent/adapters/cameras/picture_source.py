"""A picture, or a folder of pictures, as a camera that looks at each for a moment."""

from contextlib import ExitStack
from pathlib import Path
from threading import Event

import numpy as np
from numpy.typing import NDArray

from edge_agent.adapters.cameras.source import Picture
from edge_agent.camera_spec import PICTURE_SUFFIXES
from edge_agent.errors import CameraError
from edge_agent.ports import Clock
from inference import InferenceError
from inference.picture import LOCAL, PictureDecoder

MAX_FILES = 10_000


class PictureSource:
    """Pictures in turn at an even pace, each decoded by the confined worker (threat T11) when it is due.

    A single picture is decoded once, and the worker's memory given back.
    """

    def __init__(self, files: list[Path], clock: Clock, stop: Event, *, fps: float) -> None:
        self._files = files
        self._clock = clock
        self._stop = stop
        self._gap_s = 1 / fps
        self._count = 0
        self._still: NDArray[np.uint8] | None = None
        self._worker = ExitStack()
        self._decoder = self._worker.enter_context(PictureDecoder(LOCAL))

    def read(self) -> Picture | None:
        """The next picture at its time. Raises CameraError for one that cannot be read or is refused."""
        if self._count:
            self._stop.wait(self._gap_s)
        pixels = self._still
        if pixels is None:
            pixels = decode_file(self._decoder, self._files[self._count % len(self._files)])
        self._count += 1
        if len(self._files) == 1 and self._still is None:
            self._still = pixels
            self._worker.close()
        return Picture(pixels, self._clock.monotonic_ns())

    def close(self) -> None:
        """End the worker."""
        self._worker.close()


def decode_file(decoder: PictureDecoder, path: Path) -> NDArray[np.uint8]:
    """The picture in a file, uint8 [H, W, 3] BGR.

    Raises:
        CameraError: Not readable, or refused by the decoder's limits.
    """
    try:
        if path.stat().st_size > LOCAL.max_bytes:
            raise CameraError(f"{path} has more than {LOCAL.max_bytes >> 20} MiB", remedy="Save it smaller.")
        return decoder.decode(path.read_bytes())
    except OSError as error:
        raise CameraError(
            f"{path} cannot be read: {error.strerror}", remedy="Check the path and its rights."
        ) from error
    except InferenceError as error:
        raise CameraError(f"{path}: {error}", remedy=error.remedy) from error


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder by name.

    Raises:
        CameraError: It cannot be listed, or has none.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    except OSError as error:
        raise CameraError(
            f"{folder} cannot be listed: {error.strerror}", remedy="Check its rights."
        ) from error
    if not files:
        raise CameraError(
            f"{folder} has no pictures", remedy=f"Put {', '.join(PICTURE_SUFFIXES)} files into it."
        )
    return files[:MAX_FILES]
