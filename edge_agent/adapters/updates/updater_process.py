"""The updater as a process of its own: started for one errand, nicer than the agent, gone with it.

It ends by itself when its pipe is closed, so a killed agent leaves none behind.
"""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

from daemon.log_fields import fields
from edge_agent.updates.errand import (
    UPDATER_SAYS,
    BrokenPipeTalk,
    Done,
    Failed,
    Job,
    Need,
    Piece,
    Progress,
    Reader,
    frame,
)
from wire_protocol.fleet_messages import UpdateReason

log = logging.getLogger(__name__)

COMMAND: Final = (sys.executable, "-P", "-m", "edge_agent.updater")
"""Nothing is imported from the folder that the agent was started in."""
SILENT_S: Final = 900.0
"""An updater says something every minute or so; a thousand roots over a bad line keep it quiet longest."""
NICER: Final = 10
"""Than the agent: a till's requests go first, then the camera's and the uplink's threads, 5 nicer."""
_READ_BYTES: Final = 1 << 16
_STDERR_BYTES: Final = 4096


class UpdaterProcess:
    """An `Errand`.

    Args:
        command: What is started.
        silent_s: One that says nothing for so long is ended: some server feeds it drop by drop.
    """

    def __init__(self, command: Sequence[str] = COMMAND, *, silent_s: float = SILENT_S) -> None:
        self._command = command
        self._silent_s = silent_s
        self._stdin: asyncio.StreamWriter | None = None

    async def run(
        self, job: Job, need: Callable[[Need], None], progress: Callable[[Progress], None]
    ) -> Done | Failed:
        """As `Errand.run`."""
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=pipe, stdout=pipe, stderr=pipe
            )
        except OSError as error:
            return _died(f"the updater cannot be started: {error.strerror or error}")
        with contextlib.suppress(OSError):
            # It may be gone already; how it ended, the end of its pipe says.
            os.setpriority(os.PRIO_PROCESS, process.pid, _nice())
        assert process.stdin is not None, "a pipe was asked for"
        assert process.stdout is not None, "a pipe was asked for"
        assert process.stderr is not None, "a pipe was asked for"
        self._stdin = process.stdin
        said = asyncio.create_task(_tail(process.stderr), name="updater's stderr")
        try:
            self._stdin.write(frame(job))
            result = await self._listen(process.stdout, need, progress)
            if result is None:
                status = await process.wait()
                result = _died(f"the updater ended with status {status}: {await said}".rstrip(": "))
        except BrokenPipeTalk as error:
            result = _died(str(error))
        except TimeoutError:
            words = f"the updater said nothing for {self._silent_s:.0f} s, and was ended"
            result = Failed(UpdateReason.UNREACHABLE, words, passing=True)
        finally:
            await self._end(process, said)
        return result

    def give(self, piece: Piece) -> None:
        """As `Errand.give`."""
        if self._stdin is not None and not self._stdin.is_closing():
            self._stdin.write(frame(piece))

    async def _listen(
        self, stdout: asyncio.StreamReader, need: Callable[[Need], None], progress: Callable[[Progress], None]
    ) -> Done | Failed | None:
        """Until its last word; None where it ended without. Raises TimeoutError."""
        reader = Reader(UPDATER_SAYS)
        while data := await asyncio.wait_for(stdout.read(_READ_BYTES), self._silent_s):
            for value in reader.feed(data):
                match value:
                    case Need():
                        need(value)
                    case Progress():
                        progress(value)
                    case Done() | Failed():
                        return value
        return None

    async def _end(self, process: asyncio.subprocess.Process, said: "asyncio.Task[str]") -> None:
        if self._stdin is not None:
            self._stdin.close()
            self._stdin = None
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()
        words = await said
        if words:
            log.info("updater.said", extra=fields(words=words))


async def _tail(stderr: asyncio.StreamReader) -> str:
    """The end of what it said; all of it is read, so that it never waits for us."""
    kept = b""
    while data := await stderr.read(_READ_BYTES):
        kept = (kept + data)[-_STDERR_BYTES:]
    return " ".join(kept.decode(errors="replace").split())[-300:]


def _nice() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0) + NICER


def _died(words: str) -> Failed:
    return Failed(UpdateReason.CRASHED, words[:200], passing=True)
