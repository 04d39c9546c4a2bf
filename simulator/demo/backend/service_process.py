"""One service of the demo's cloud as a process; whatever it says is read line by line, and little is kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulator.demo.child_process import ChildProcess
from simulator.demo.errors import ServiceFailedError

READY_WITHIN_S = 60.0
"""Everything starts at once on a machine that may have two cores."""
LINES_KEPT = 30
LONGEST_LINE_BYTES = 1 << 18
"""A line of the collector's log is a few hundred bytes, one with a traceback a few thousand."""

Record = Mapping[str, Any]
"""A line of a log in JSON."""


class ServiceProcess(ChildProcess):
    """Starts a program and reads what it prints, on both streams, until it ends.

    Args:
        name: For messages, such as `the collector`.
        command: Program and arguments.
        on_record: Called with each line that is a JSON object.
    """

    def __init__(
        self, name: str, command: Sequence[str], on_record: Callable[[Record], None] | None = None
    ) -> None:
        super().__init__(name)
        self._command = command
        self._on_record = on_record
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._waiting: list[tuple[Callable[[str], str | None], asyncio.Future[str]]] = []
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the program; `said` waits for what it says first."""
        process = await self.launch(self._command, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None, "a pipe was asked for"
        self._reading = asyncio.create_task(self._read(process.stdout), name=f"log of {self.name}")

    async def said(self, find: Callable[[str], str | None]) -> str:
        """What `find` finds in a line, as soon as there is such a line.

        Raises:
            ServiceFailedError: The program ended, or said no such thing in time.
        """
        for line in self._lines:
            if (found := find(line)) is not None:
                return found
        waiting: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((find, waiting))
        assert self._reading is not None, "not started"
        both: list[asyncio.Future[Any]] = [waiting, self._reading]
        await asyncio.wait(both, timeout=READY_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        if self._reading.done():
            await self.wait_end()
        raise self.failure(f"was not ready after {READY_WITHIN_S:g} s" if self.alive else self.ending)

    def failure(self, how: str) -> ServiceFailedError:
        """The error that tells how it failed, and its last words."""
        return ServiceFailedError(f"{self.name} {how}", remedy=f"Its last words:\n{self.last_words()}")

    def last_words(self) -> str:
        """The last lines that it said."""
        return "\n".join(self._lines) or "(it said nothing)"

    async def stop(self) -> None:
        """End it, and read what it still says."""
        await super().stop()
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading

    async def _read(self, stream: asyncio.StreamReader) -> None:
        rest = b""
        while data := await stream.read(1 << 16):
            *lines, rest = (rest + data).split(b"\n")
            rest = rest[-LONGEST_LINE_BYTES:]
            for line in lines:
                self._line(line.decode(errors="replace"))

    def _line(self, line: str) -> None:
        record = _record(line)
        if record is None or record.get("level") != "debug":
            self._lines.append(line)
        for find, waiting in self._waiting[:]:
            if (found := find(line)) is not None and not waiting.done():
                waiting.set_result(found)
                self._waiting.remove((find, waiting))
        if record is not None and self._on_record is not None:
            self._on_record(record)


def _record(line: str) -> Record | None:
    if not line.startswith("{"):
        return None
    try:
        return dict(json.loads(line))
    except ValueError:
        return None
