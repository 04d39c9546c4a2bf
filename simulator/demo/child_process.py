"""A child process of the demo: a group of its own, gone with the demo whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import IO

STOPS_WITHIN_S = 5.0
"""After SIGTERM; then a process is killed."""
_PR_SET_PDEATHSIG = 1
_KIB_PER_MB = 1000 / 1.024
_libc = ctypes.CDLL(None, use_errno=True)


class ChildProcess:
    """Starts, watches and ends one program.

    Args:
        name: For messages.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._process: asyncio.subprocess.Process | None = None

    async def launch(
        self,
        command: Sequence[str],
        *,
        stdin: int = asyncio.subprocess.DEVNULL,
        stdout: int | IO[bytes],
        stderr: int | IO[bytes] = asyncio.subprocess.STDOUT,
    ) -> asyncio.subprocess.Process:
        """Start the program."""
        self._process = await asyncio.create_subprocess_exec(
            *command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=environment(),
            # A group of its own: Ctrl-C in the terminal reaches the demo only, which ends its children.
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
        return self._process

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def ending(self) -> str:
        """How the process ended, in words."""
        code = None if self._process is None else self._process.returncode
        if code is None:
            return "runs"
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"

    async def wait_end(self) -> None:
        """Return when the process has ended."""
        assert self._process is not None, "not started"
        await self._process.wait()

    def memory_mb(self) -> float | None:
        """Resident memory in megabytes; None when the process has ended."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        for line in status.splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / _KIB_PER_MB
        return None

    async def stop(self) -> None:
        """End the process and everything it started: SIGTERM, then SIGKILL to the whole group."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOPS_WITHIN_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

    def leftover(self) -> str | None:
        """What of its process group still runs after `stop`, in words."""
        if self._process is None:
            return None
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return None
        return f"processes of {self.name} (group {self._process.pid}) still run"


def environment() -> dict[str, str]:
    """What a child inherits: not the settings of other agents and clouds on this machine."""
    foreign = ("TOPSCOOP_EDGE_", "TOPSCOOP_CLOUD_")
    return {key: value for key, value in os.environ.items() if not key.startswith(foreign)}


def end_with_parent() -> None:
    """Ask Linux to kill this process should the demo be killed without a chance to clean up."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
