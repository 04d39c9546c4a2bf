"""What a grabber needs of an opened camera; one small file per kind of source answers it."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture, BGR uint8 [H, W, 3], that its source never writes to again."""

    pixels: NDArray[np.uint8]
    captured_ns: int


class Source(Protocol):
    """An opened camera, used by one thread."""

    def read(self) -> Picture | None:
        """The next picture; None when nothing new came within about half a second.

        Raises:
            CameraError: The camera is lost and has to be opened again.
        """

    def close(self) -> None:
        """Give everything back; never raises."""


Opener = Callable[[Event], Source]
"""Opens a source; whoever waits in it waits on the event, which is set when the camera is closed.

Raises CameraError.
"""
