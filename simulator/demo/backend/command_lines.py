"""Several `topscoop` command lines, one after the other, in one child process.

What an operator types while setting the cloud up; one interpreter for all of them saves the demo's start some
seconds on a small machine.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any, Final

from simulator.demo.child_process import ChildProcess
from simulator.demo.errors import ServiceFailedError

_SCRIPT: Final = """
import contextlib, io, json, sys
from topscoop.cli import main
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(json.loads(line))
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""


class CommandLines(ChildProcess):
    """Runs one command line at a time."""

    def __init__(self) -> None:
        super().__init__("topscoop cloud")
        self._running: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the interpreter."""
        self._running = await self.launch(
            [sys.executable, "-c", _SCRIPT],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *words: str) -> Any:
        """What the command printed, as JSON.

        Raises:
            ServiceFailedError: It failed; the message is its own.
        """
        process = self._running
        assert process is not None, "not started"
        assert process.stdin is not None, "a pipe was asked for"
        assert process.stdout is not None, "a pipe was asked for"
        process.stdin.write(json.dumps(words).encode() + b"\n")
        await process.stdin.drain()
        line = await process.stdout.readline()
        shown = " ".join(["topscoop", *words])
        if not line:
            _, complaints = await process.communicate()
            raise ServiceFailedError(
                f"`{shown}` {self.ending}", remedy=complaints.decode(errors="replace").strip()
            )
        status, printed, told = json.loads(line)
        if status != 0:
            raise ServiceFailedError(f"`{shown}` failed", remedy=told.strip())
        return json.loads(printed)
