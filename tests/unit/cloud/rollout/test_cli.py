"""`topscoop rollout …` and the verbs of shops and groups, as a shell runs them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloud.clock import now_ms
from cloud.rollout.tick import tick
from tests.builders.cloud_database import sqlite_database
from tests.builders.rollout_stage import TENANT, RolloutStage
from topscoop.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def stage(tmp_path: Path) -> RolloutStage:
    config = tmp_path / "cloud.toml"
    config.write_text(f'environment = "development"\nstate_dir = "{tmp_path}"\n')
    return RolloutStage(sqlite_database(tmp_path))


@pytest.fixture
def run(stage: RolloutStage, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: str, tenant: str = TENANT) -> tuple[int, str, str]:
        status = main([*words, "--tenant", tenant, "--config", str(tmp_path / "cloud.toml")])
        said = capsys.readouterr()
        return status, said.out, said.err

    assert stage.count == 4
    return call


def document(run: Run, *words: str) -> Any:
    status, out, err = run(*words, "--json")
    assert status == 0, err
    return json.loads(out)


def test_from_a_dry_run_to_its_return(run: Run, stage: RolloutStage) -> None:
    """Plan, start, look, pause, resume, promote, return: each says what to do next."""
    status, out, _ = run("rollout", "plan", "1", "--dry-run")
    assert status == 0
    assert "would reach 4 registers in 2 stores" in out
    assert document(run, "rollout", "list") == []
    planned = document(run, "rollout", "plan", "1")
    rollout = planned["rollout"]
    assert [one["registers"] for one in planned["stages"]] == [1, 0, 3]
    assert document(run, "rollout", "start", rollout)["state"] == "running"
    tick(stage.database, TENANT, now_ms())
    found = document(run, "rollout", "status", rollout)
    assert sorted(one["state"] for one in found["members"]) == ["told", "waiting", "waiting", "waiting"]
    status, out, _ = run("rollout", "status", rollout)
    assert "waits: 1 register has no outcome yet" in out
    assert "1 register  1 told" in out
    for verb, state in (
        ("pause", "paused"),
        ("resume", "running"),
        ("promote", "running"),
        ("return", "returning"),
    ):
        assert document(run, "rollout", verb, rollout, "--reason", "a test")["state"] == state
    [listed] = document(run, "rollout", "list")
    assert (listed["rollout"], listed["state"], listed["reason"]) == (rollout, "returning", "a test")
    assert rollout in run("rollout", "list")[1]


def test_a_draft_is_given_up_and_then_there_is_nothing_to_do(run: Run) -> None:
    """Nobody was told, so nobody returns; what is asked of it then is refused with the next step."""
    rollout = document(run, "rollout", "plan", "1")["rollout"]
    assert "given up" in run("rollout", "return", rollout, "--reason", "planned twice")[1]
    status, _, err = run("rollout", "promote", rollout, "--reason", "a test")
    assert status == 2
    assert "promote is not possible: the rollout is returned" in err


def test_a_plan_from_a_file(run: Run, tmp_path: Path) -> None:
    """The default is printed as a file that is read back; what is wrong in one is named."""
    plan = tmp_path / "plan.json"
    plan.write_text(run("rollout", "plan", "--print-default")[1])
    assert document(run, "rollout", "plan", "1", "--plan", str(plan), "--dry-run")["registers"] == 4
    only = document(run, "rollout", "plan", "1", "--plan", str(plan), "--store", "shop-1", "--dry-run")
    assert (only["registers"], only["stores"]) == (2, 1)
    plan.write_text('{"gates": {"error_share": "few"}, "pace_per_minute": 0}')
    status, _, err = run("rollout", "plan", "1", "--plan", str(plan))
    assert status == 2
    assert "gates.error_share: 'few' is no number" in err
    assert "pace_per_minute: 0 is no whole number" in err
    plan.write_text("stages: 3")
    assert "is no JSON" in run("rollout", "plan", "1", "--plan", str(plan))[2]
    assert "cannot be read" in run("rollout", "plan", "1", "--plan", str(tmp_path / "none.json"))[2]
    assert "which release" in run("rollout", "plan")[2]


def test_the_chain_is_frozen_stopped_and_wants_a_second_person(run: Run) -> None:
    rollout = document(run, "rollout", "plan", "1")["rollout"]
    assert document(run, "rollout", "approval", "on") == {"tenant": TENANT, "approval": True}
    status, _, err = run("rollout", "approve", rollout, "--reason", "me again")
    assert status == 2
    assert "cannot approve it, too" in err
    assert "off" in run("rollout", "approval", "off")[1]
    for verb in ("freeze", "unfreeze", "stop"):
        assert document(run, "rollout", verb, "--reason", "a test")["done"] == verb
    status, _, err = run("rollout", "start", rollout)
    assert status == 2
    assert "the chain is stopped by" in err
    assert run("rollout", "unstop", "--reason", "a test")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rollout", "status", "not-an-id"), "is no id of a rollout"),
        (("rollout", "status", "00" * 16), "there is no rollout"),
        (("rollout", "plan", "9"), "there is no release 9"),
        (("cloud", "group", "set", "pilots", "till-99"), "no register 'till-99'"),
        (("cloud", "store", "set", "shop-0", "--timezone", "Mars"), "no time zone"),
        (("cloud", "store", "set", "shop-0", "--open", "always"), "no time such as"),
    ],
)
def test_what_cannot_be_says_why(run: Run, words: tuple[str, ...], said: str) -> None:
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert said in err


def test_a_chain_that_nobody_knows(run: Run) -> None:
    for words in (("rollout", "list"), ("cloud", "store", "list"), ("cloud", "group", "list")):
        status, _, err = run(*words, tenant="nowhere")
        assert (status, "there is no chain" in err) == (2, True)


def test_shops_and_groups(run: Run) -> None:
    assert "no shop is described" in run("cloud", "store", "list")[1]
    hours = ("--open", "mon-fri:09:00-19:30", "--open", "sat-sun:10:00-18:00")
    run("cloud", "store", "set", "shop-0", "--timezone", "Europe/Rome", "--name", "Harbour", *hours)
    [shop] = document(run, "cloud", "store", "list")
    assert (shop["name"], len(shop["opening"])) == ("Harbour", 2)
    assert "Europe/Rome" in run("cloud", "store", "list")[1]
    assert "no groups" in run("cloud", "group", "list")[1]
    assert document(run, "cloud", "group", "set", "pilots", "till-1", "till-0")["registers"] == [
        "till-0",
        "till-1",
    ]
    assert "till-0, till-1" in run("cloud", "group", "list")[1]
    assert "deleted" in run("cloud", "group", "set", "pilots")[1]
