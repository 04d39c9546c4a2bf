"""One edge agent as a process of its own, as a shop would run it: a configuration file, a folder, a log."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from simulator.demo.child_process import ChildProcess, end_with_parent, environment
from simulator.demo.errors import AgentFailedError

READY_WITHIN_S = 60.0
"""Six agents share two cores while they start; alone, one takes less than a second."""
_ASK_EVERY_S = 0.05
_LOG_LINES_SHOWN = 12


Settings = Mapping[str, str | float | bool | Mapping[str, str | float | bool]]
"""Top-level keys and tables of an agent's configuration."""


class AgentProcess(ChildProcess):
    """Starts, watches and ends `topscoop edge run`.

    Args:
        name: For messages, such as `gelateria-sole/lido`.
        folder: Its own; the data folder, configuration and log are made below.
    """

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self.data_dir = folder / "data"
        self.url = ""
        self.token = ""
        self._config = folder / "edge.toml"
        self._log = folder / "edge.log"

    async def start(self, settings: Settings) -> None:
        """Write the configuration and start the process; `wait_ready` waits for it.

        Args:
            settings: Top-level keys and tables of the agent's configuration, without `data_dir`.
        """
        self.configure(settings)
        with self._log.open("wb") as log:
            await self.launch(
                [sys.executable, "-m", "topscoop", "edge", "run", "--config", str(self._config)], stdout=log
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
            env=environment(),
            preexec_fn=end_with_parent,
        )
        try:
            printed, _ = await process.communicate()
        finally:
            if process.returncode is None:  # the demo is being ended
                process.kill()
                await process.wait()
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

    def last_words(self) -> str:
        """The end of its log."""
        lines = self._log.read_text(errors="replace").splitlines() if self._log.is_file() else []
        return "\n".join(lines[-_LOG_LINES_SHOWN:]) or "(nothing was logged)"


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
