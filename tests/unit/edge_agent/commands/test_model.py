"""`topscoop edge model` where no agent runs; a running agent's is in tests/system."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.adapters.checks.api import agent_runs
from edge_agent.adapters.clock import SystemClock
from edge_agent.adapters.data_folder import DataFolder
from edge_agent.adapters.randomness import system_randomness
from edge_agent.adapters.updates.beginning import folder_of
from edge_agent.adapters.updates.state_sqlite import SqliteState
from edge_agent.updates import transitions
from edge_agent.updates.choice import Choice, Source
from edge_agent.updates.facts import Facts
from tests.builders.agent_process import write_config
from tests.builders.update_facts import good, ordered, verified
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
    assert run(capsys, "return", "--config", config) == (0, "In use: the installed model.\n")
    assert main(["edge", "model", "return", "--config", config]) != 0
    assert "nothing to go back from" in capsys.readouterr().err


def save(tmp_path: Path, facts: Facts) -> None:
    store = SqliteState(folder_of(tmp_path / "data"), SystemClock())
    store.save(facts)
    store.close()


def test_return_after_a_return_by_the_cloud(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """T9: never to the release that the chain has just left; best-sellers are said to be all there is."""
    facts = ordered(good(1, 2), 9, 1)
    facts = transitions.activated(facts, Choice(Source.RELEASE, facts.slot(1)), 1)
    save(tmp_path, transitions.looked(facts, verified(floor=1), 9))
    status, text = run(capsys, "return", "--config", config)
    assert (status, text.splitlines()[0]) == (0, "In use: best-sellers.")
    assert "no model before" in text
    found = json.loads(run(capsys, "list", "--json", "--config", config)[1])
    assert (found["in_use"]["source"], found["returned_by_hand"]) == ("best-sellers", True)
    assert [one["left_generation"] for one in found["slots"]] == [9, 9]


def test_return_changes_nothing_behind_an_agent_that_starts(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has the folder's lock, and no address yet: told to come back when it is ready."""
    with DataFolder(tmp_path / "data", system_randomness):
        assert main(["edge", "model", "return", "--config", config]) != 0
    said = capsys.readouterr().err
    assert "an agent runs" in said
    assert "ready" in said
    assert json.loads(run(capsys, "list", "--json", "--config", config)[1])["in_use"]["release"] == 2


def test_no_agent_starts_while_return_changes_the_files(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is held from before the facts are read until they are saved, and free afterwards."""
    held = []
    for name in ("load", "save"):
        real = getattr(SqliteState, name)

        def watched(*args: object, real: Callable[..., object] = real) -> object:
            held.append(agent_runs(tmp_path / "data"))
            return real(*args)

        monkeypatch.setattr(SqliteState, name, watched)
    assert main(["edge", "model", "return", "--config", config]) == 0
    assert held == [True] * 3
    assert not agent_runs(tmp_path / "data")


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
