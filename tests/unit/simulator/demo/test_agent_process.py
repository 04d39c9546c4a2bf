import asyncio
import os
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from simulator.demo import agent_process, child_process
from simulator.demo.agent_process import AgentProcess, to_toml
from simulator.demo.errors import AgentFailedError

_PYTHON = sys.executable


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A script that is started in the agent's place; it gets the agent's arguments."""
    script = tmp_path / "python"
    monkeypatch.setattr(agent_process.sys, "executable", str(script))
    return script


def _write(script: Path, *lines: str) -> None:
    script.write_text("\n".join([f"#!{_PYTHON}", "import os, signal, sys, time", *lines]))
    script.chmod(0o700)


async def _until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not done():  # noqa: ASYNC110 - what other processes do sets no event here
            await asyncio.sleep(0.02)


def test_settings_survive_as_toml() -> None:
    settings: Mapping[str, str | Mapping[str, str | int | bool]] = {
        "tenant": "gelateria-sole",
        "data_dir": '/tmp/with "quotes" and \\ and ü',
        "api": {"port": 0},
        "presence": {"enabled": False},
    }
    assert tomllib.loads(to_toml(settings)) == settings


async def test_an_agent_that_ends_at_once_is_told_with_its_last_words(command: Path, tmp_path: Path) -> None:
    _write(command, "print('no such camera'); sys.exit(2)")
    agent = AgentProcess("chain/shop", tmp_path / "agent")
    await agent.start({"tenant": "chain"})
    with pytest.raises(AgentFailedError, match="the agent of chain/shop ended with status 2") as caught:
        await agent.wait_ready()
    assert "no such camera" in caught.value.remedy


async def test_an_agent_that_never_gets_ready_is_told(
    command: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_process, "READY_WITHIN_S", 0.3)
    _write(command, "time.sleep(60)")
    agent = AgentProcess("chain/shop", tmp_path / "agent")
    await agent.start({})
    try:
        with pytest.raises(AgentFailedError, match="was not ready after"):
            await agent.wait_ready()
    finally:
        await agent.stop()
    assert not agent.alive


async def test_stopping_ends_children_and_those_who_do_not_listen(
    command: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "STOPS_WITHIN_S", 0.3)
    marker = tmp_path / "child"
    _write(
        command,
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        "os.fork()",
        f"open({str(marker)!r} + str(os.getpid()), 'w').close()",
        "time.sleep(60)",
    )
    agent = AgentProcess("chain/shop", tmp_path / "agent")
    await agent.start({})
    await _until(lambda: len(list(tmp_path.glob("child*"))) == 2)
    await agent.stop()
    assert agent.ending == "was killed by SIGKILL"
    # The orphan is reaped by init, not by us, a moment after its death.
    await _until(lambda: agent.leftover() is None)


async def test_what_still_runs_is_called_a_leftover(command: Path, tmp_path: Path) -> None:
    _write(command, "time.sleep(60)")
    agent = AgentProcess("chain/shop", tmp_path / "agent")
    assert agent.leftover() is None
    await agent.start({})
    assert agent.leftover() == f"processes of chain/shop (group {agent.pid}) still run"
    assert agent.memory_mb() is not None
    await agent.stop()
    assert agent.memory_mb() is None


async def test_the_demos_own_environment_does_not_change_its_agents(
    command: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOPSCOOP_EDGE_CAMERA_SOURCE", "/dev/video0")
    _write(command, "print([key for key in os.environ if key.startswith('TOPSCOOP_EDGE')])")
    agent = AgentProcess("chain/shop", tmp_path / "agent")
    await agent.start({})
    await agent.wait_end()
    assert agent.last_words() == "[]"


async def test_agents_have_a_process_group_of_their_own(command: Path, tmp_path: Path) -> None:
    """Ctrl-C in the terminal reaches the demo only."""
    _write(command, "time.sleep(60)")
    agent = AgentProcess("chain/shop", tmp_path / "agent")
    await agent.start({})
    assert os.getpgid(agent.pid) == agent.pid != os.getpgid(0)
    await agent.stop()
