"""One edge agent as a process of its own, as a shop would run it: a configuration file, a folder, a log."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from simulator.demo.errors import AgentFailedError

READY_WITHIN_S = 60.0
"""Six agents share two cores while they start; alone, one takes less than a second."""
STOPS_WITHIN_S = 5.0
_ASK_EVERY_S = 0.05
_LOG_LINES_SHOWN = 12
_PR_SET_PDEATHSIG = 1
_KIB_PER_MB = 1000 / 1.024


Settings = Mapping[str, str | float | bool | Mapping[str, str | float | bool]]
"""Top-level keys and tables of an agent's configuration."""


class AgentProcess:
    """Starts, watches and ends `topscoop edge run`.

    Args:
        name: For messages, such as `gelateria-sole/lido`.
        folder: Its own; the data folder, configuration and log are made below.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.data_dir = folder / "data"
        self.url = ""
        self.token = ""
        self._config = folder / "edge.toml"
        self._log = folder / "edge.log"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, settings: Settings) -> None:
        """Write the configuration and start the process; `wait_ready` waits for it.

        Args:
            settings: Top-level keys and tables of the agent's configuration, without `data_dir`.
        """
        self.configure(settings)
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "topscoop", "edge", "run", "--config", str(self._config)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                env=_environment(),
                # A group of its own: Ctrl-C in the terminal reaches the demo only, which ends its agents.
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )

    def configure(self, settings: Settings) -> None:
        """Write the configuration; `settings` as for `start`."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._config.write_text(to_toml({"data_dir": str(self.data_dir), **settings}))

    async def command(self, *words: str) -> tuple[int, str]:
        """Run another verb of `topscoop edge` with the configuration; its status and what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "topscoop", "edge", *words, "--config", str(self._config)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=_environment(),
            preexec_fn=_end_with_parent,
        )
        printed, _ = await process.communicate()
        assert process.returncode is not None, "it has ended"
        return process.returncode, printed.decode(errors="replace").strip()

    async def wait_ready(self) -> None:
        """Return when the agent answers `/readyz`; `url` and `token` are known then.

        Raises:
            AgentFailedError: It ended, or was not ready in time; the message ends with its last log lines.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_WITHIN_S), httpx.AsyncClient(trust_env=False) as client:
                while self.alive:
                    if await self._is_ready(client):
                        return
                    await asyncio.sleep(_ASK_EVERY_S)
        state = f"was not ready after {READY_WITHIN_S:g} s" if self.alive else self.ending
        raise AgentFailedError(
            f"the agent of {self.name} {state}", remedy=f"Its last words:\n{self.last_words()}"
        )

    async def _is_ready(self, client: httpx.AsyncClient) -> bool:
        address = self.data_dir / "api.json"
        token = self.data_dir / "pairing-token"
        if not (address.is_file() and token.is_file()):
            return False
        self.url = json.loads(address.read_bytes())["url"].rstrip("/")
        self.token = token.read_text().strip()
        try:
            answer = await client.get(f"{self.url}/readyz")
        except httpx.TransportError:
            return False
        return answer.is_success

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

    def last_words(self) -> str:
        """The end of its log."""
        lines = self._log.read_text(errors="replace").splitlines() if self._log.is_file() else []
        return "\n".join(lines[-_LOG_LINES_SHOWN:]) or "(nothing was logged)"

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


def _environment() -> dict[str, str]:
    """What an agent inherits: not the settings of another one on this machine."""
    return {key: value for key, value in os.environ.items() if not key.startswith("TOPSCOOP_EDGE_")}


_libc = ctypes.CDLL(None, use_errno=True)


def _end_with_parent() -> None:
    """Ask Linux to kill this process should the demo be killed without a chance to clean up."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def to_toml(settings: Settings) -> str:
    """Settings as TOML: plain values first, then one table per mapping.

    JSON's strings, numbers and booleans are TOML's, apart from surrogates, which no path here has.
    """
    plain = [
        f"{key} = {json.dumps(value)}" for key, value in settings.items() if not isinstance(value, Mapping)
    ]
    tables = [
        "\n".join([f"\n[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())])
        for name, table in settings.items()
        if isinstance(table, Mapping)
    ]
    return "\n".join([*plain, *tables, ""])
