"""A real agent in a process of its own, on a port that the system chooses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TOKEN = "a-token-for-tests-only"
_ROOT = Path(__file__).parents[2]
_START_TIMEOUT_S = 60
_STOP_TIMEOUT_S = 20


@dataclass
class AgentProcess:
    """A running agent; `lines` are the events of its log."""

    process: subprocess.Popen[str]
    data_dir: Path
    lines: list[dict[str, Any]] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    ready: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def client(self, token: str = TOKEN) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=20)

    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(_STOP_TIMEOUT_S)

    def read_log(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr:
            for line in self.process.stderr:
                self.raw.append(line)
                if line.startswith("{"):
                    self.lines.append(json.loads(line))
                    if self.lines[-1]["event"] == "agent.ready":
                        self.url = self.lines[-1]["url"]
                        self.ready.set()
        self.ready.set()


def write_config(folder: Path, *, model_dir: Path | None, more: str = "", camera: str = "synthetic:") -> Path:
    """A configuration for an agent whose data lie in `folder`."""
    model = f'model_dir = "{model_dir}"\n' if model_dir else ""
    path = folder / "edge.toml"
    path.write_text(
        'tenant = "gelateria-sole"\nstore = "rimini"\nregister = "till-1"\nshop_kind = "beach"\n'
        f'data_dir = "{folder / "data"}"\n{model}camera = "{camera}"\n{more}',
        encoding="utf-8",
    )
    return path


def start_agent(config: Path, **environment: str) -> AgentProcess:
    """Start without waiting."""
    process = subprocess.Popen(
        [sys.executable, "-m", "topscoop", "edge", "run", "--config", str(config)],
        cwd=_ROOT,
        env=agent_environment(environment),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    agent = AgentProcess(process, config.parent / "data")
    threading.Thread(target=agent.read_log, name="agent's log", daemon=True).start()
    return agent


@contextmanager
def running_agent(config: Path, **environment: str) -> Iterator[AgentProcess]:
    """Start, wait until it is ready, and stop it at the end whatever happens."""
    agent = start_agent(config, **environment)
    try:
        assert agent.ready.wait(_START_TIMEOUT_S), f"the agent did not start: {''.join(agent.raw)}"
        assert agent.url, f"the agent ended: {''.join(agent.raw)}"
        yield agent
    finally:
        if agent.process.poll() is None:
            agent.process.kill()
        agent.process.wait(_STOP_TIMEOUT_S)


def agent_environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOPSCOOP_EDGE_")}
    chosen = {"TOPSCOOP_EDGE_API_PORT": "0", "TOPSCOOP_EDGE_LOG_FORMAT": "json"}
    return kept | chosen | dict(more)
