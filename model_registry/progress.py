"""Progress on standard error: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time


class ProgressBar:
    """Shows how far a long step is; `update` is cheap enough for every batch."""

    def __init__(self, title: str, every_s: float = 30.0) -> None:
        self._title = title
        self._terminal = sys.stderr.isatty()
        self._every_s = 0.2 if self._terminal else every_s
        self._began = self._shown = time.monotonic()

    def update(self, done: int, total: int, note: str = "") -> None:
        """Say that `done` of `total` are finished."""
        now = time.monotonic()
        if now - self._shown < self._every_s and done < total:
            return
        self._shown = now
        passed = now - self._began
        text = f"{self._title} {done}/{total} {note} ({passed:.0f} s)"
        if self._terminal:
            filled = 24 * done // max(total, 1)
            end = "\n" if done >= total else ""
            print(f"\r[{'#' * filled}{'.' * (24 - filled)}] {text}", end=end, file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)
