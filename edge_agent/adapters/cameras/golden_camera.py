"""Plain `synthetic:`: the model's golden frames, moving a little; a drawn test picture without a model."""

from pathlib import Path
from threading import Event

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.adapters.cameras.source import Picture
from edge_agent.ports import Clock

WIDTH, HEIGHT = 640, 480
_MOVE_PX = 8
_SHOWN_S = 4.0
"""How long each golden frame stays: long enough for presence mode to open an interaction."""


class GoldenSource:
    """An endless walk over pictures at an even pace."""

    def __init__(self, directory: Path | None, clock: Clock, stop: Event, *, fps: float) -> None:
        self._files = [] if directory is None else sorted((directory / "golden").glob("*.png"))
        self._shown = -1
        self._padded = np.empty((0, 0, 3), np.uint8)
        self._clock = clock
        self._stop = stop
        self._gap_s = 1 / fps
        self._per_picture = max(1, round(_SHOWN_S * fps))
        self._count = 0

    def read(self) -> Picture | None:
        """The next picture at its time."""
        self._stop.wait(self._gap_s)
        turn, step = divmod(self._count, self._per_picture)
        self._count += 1
        if turn != self._shown:
            self._shown, self._padded = turn, self._picture(turn)
        angle = step / self._per_picture * 2 * np.pi
        left, top = round(_MOVE_PX * (1 + np.cos(angle))), round(_MOVE_PX * (1 + np.sin(angle)))
        return Picture(
            self._padded[top : top + HEIGHT, left : left + WIDTH].copy(), self._clock.monotonic_ns()
        )

    def close(self) -> None:
        """Nothing is open."""

    def _picture(self, turn: int) -> NDArray[np.uint8]:
        """A golden frame with a border to move in; only the one that is shown takes up memory."""
        if not self._files:
            return _test_picture()
        picture = cv2.imread(str(self._files[turn % len(self._files)]))
        return _test_picture() if picture is None else _padded(np.asarray(picture, np.uint8))


def _padded(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if picture.shape[:2] != (HEIGHT, WIDTH):
        picture = np.asarray(cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    padded = cv2.copyMakeBorder(picture, _MOVE_PX, _MOVE_PX, _MOVE_PX, _MOVE_PX, cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8)


def _test_picture() -> NDArray[np.uint8]:
    """Colour bars and a figure; nobody shall take it for a camera. Without words: a font takes 9 MB."""
    picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    bars = [
        (192, 192, 192),
        (0, 192, 192),
        (192, 192, 0),
        (0, 192, 0),
        (192, 0, 192),
        (0, 0, 192),
        (192, 0, 0),
    ]
    for index, colour in enumerate(bars):
        picture[:, index * WIDTH // len(bars) : (index + 1) * WIDTH // len(bars)] = colour
    cv2.circle(picture, (WIDTH // 2, 170), 70, (150, 180, 220), -1)
    cv2.ellipse(picture, (WIDTH // 2, HEIGHT), (150, 210), 0, 180, 360, (90, 60, 40), -1)
    return _padded(picture)
