"""A part that dies takes the agent with it, after everything was closed in order."""

import asyncio
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from edge_agent.commands import daemon
from edge_agent.commands.daemon import TaskEndedError


class Server:
    """A server that ends, or fails, when it is told."""

    def __init__(self, end: Exception | None = None) -> None:
        self.started = asyncio.Event()
        self.end = end
        self.stopped = asyncio.Event()

    async def serve(self) -> None:
        self.started.set()
        if self.end is not None:
            raise self.end
        await self.stopped.wait()

    def stop(self) -> None:
        self.stopped.set()


def parts(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(daemon, "_start_loops", lambda *_: [])
    monkeypatch.setattr(daemon, "_announce", lambda _: None)
    return SimpleNamespace(server=server)


async def test_a_task_that_fails_ends_the_agent_with_status_1(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And the log says what it died of."""
    assert await daemon._live(parts(Server(RuntimeError("no more sockets")), monkeypatch)) == 1
    assert [record.message for record in caplog.records] == ["agent.failed"]
    assert "no more sockets" in caplog.text


async def test_a_task_that_returns_is_dead_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may end quietly while the rest goes on."""
    server = Server()
    server.stopped.set()
    assert await daemon._live(parts(server, monkeypatch)) == 1
    with pytest.raises(TaskEndedError, match="the task presence ended"):
        await daemon._until(asyncio.Event(), asyncio.sleep(0), "presence")


async def test_after_the_signal_an_end_is_no_death() -> None:
    """That is how tasks end."""
    stop = asyncio.Event()
    stop.set()
    await daemon._until(stop, asyncio.sleep(0), "api")


def test_an_agent_without_an_uplink_imports_none_of_it() -> None:
    """Its start and its memory are as before: no broker client, no cryptography, no CBOR."""
    script = (
        "import sys, edge_agent.commands.daemon, edge_agent.adapters.http.app;"
        "heavy = {'cbor2', 'paho', 'cryptography', 'edge_agent.adapters.uplink'};"
        "print(sorted(heavy & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
