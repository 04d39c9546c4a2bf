"""`topscoop edge model` where no agent runs; a running agent's is in tests/system."""

import json
from pathlib import Path

import pytest

from edge_agent.adapters.clock import SystemClock
from edge_agent.adapters.updates.beginning import folder_of
from edge_agent.adapters.updates.state_sqlite import SqliteState
from tests.builders.agent_process import write_config
from tests.builders.update_facts import good
from topscoop.cli import main


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A register on whose disk releases 1 and 2 are GOOD; their files are gone."""
    path = write_config(tmp_path, model_dir=None)
    store = SqliteState(folder_of(tmp_path / "data"), SystemClock())
    store.save(good(1, 2))
    store.close()
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = main(["edge", "model", *words])
    return status, capsys.readouterr().out


def test_list_shows_every_release_with_its_verdict(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """For people, and as JSON."""
    status, text = run(capsys, "list", "--config", config)
    assert (status, text.splitlines()[0]) == (0, "In use: release 2.")
    found = json.loads(run(capsys, "list", "--json", "--config", config)[1])
    assert [(one["release"], one["verdict"]) for one in found["slots"]] == [(1, "good"), (2, "good")]


def test_return_goes_back_once(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """To the release before, then to the installed model, then no further: with what to do instead."""
    assert run(capsys, "return", "--config", config) == (0, "In use: release 1.\n")
    found = json.loads(run(capsys, "list", "--json", "--config", config)[1])
    assert (found["in_use"]["release"], found["returned_by_hand"]) == (1, True)
    assert found["update"]["reason"] == "returned"


def test_verify_tells_what_is_not_what_was_signed(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """1, and a line for each."""
    status, text = run(capsys, "verify", "--config", config)
    assert status == 1
    assert "FAILED  release 1" in text
    found = json.loads(run(capsys, "verify", "--json", "--config", config)[1])
    assert (found["ok"], len(found["checks"])) == (False, 3)


def test_a_register_without_releases_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is made by asking."""
    path = str(write_config(tmp_path, model_dir=None))
    status, text = run(capsys, "list", "--config", path)
    assert status == 0
    assert "No release has come to this register yet." in text
    assert run(capsys, "verify", "--config", path)[0] == 0
    assert main(["edge", "model", "return", "--config", path]) != 0
    assert "roll out another release" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()
