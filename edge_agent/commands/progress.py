"""How far a command is, on a terminal; nothing where standard error is no terminal."""

import sys
from types import TracebackType
from typing import Self, TextIO

_WIDTH = 30


class Progress:
    """One line that is rewritten; `total` None shows only the count."""

    def __init__(self, label: str, total: int | None, *, stream: TextIO | None = None) -> None:
        self._label = label
        self._total = total
        self._stream = sys.stderr if stream is None else stream
        self._on = self._stream.isatty()
        self._shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def show(self, done: int) -> None:
        """So much is done."""
        if not self._on:
            return
        if self._total:
            share = min(1.0, done / self._total)
            text = f"{self._label} {'█' * round(share * _WIDTH):·<{_WIDTH}} {share:4.0%}"
        else:
            text = f"{self._label} {done}"
        if text != self._shown:
            self._stream.write(f"\r\033[K{text}")
            self._stream.flush()
            self._shown = text

    def clear(self) -> None:
        """Take the line away, so that something else can be printed."""
        if self._shown:
            self._stream.write("\r\033[K")
            self._stream.flush()
            self._shown = ""
