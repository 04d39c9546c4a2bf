import pytest

from tests.unit.model_registry.commands.conftest import CHAIN, Model
from topscoop.cli import main


def test_it_says_who_did_what_and_when(model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    model(f"withdraw 5 --reason 'sells less' --by Grace --store store --chain {CHAIN} --keys keys")
    assert main(["model", "log", "--store", "store", "--chain", CHAIN]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "root 1"
    assert any(line.startswith("targets 2, 20") and line.endswith(" by Ada") for line in lines)
    assert any(line.startswith("targets 3, 20") and line.endswith(" by Grace") for line in lines)
    assert "  release 5 is withdrawn: sells less" in lines
    assert "now: releases none, minimum 0" in lines


def test_what_a_thief_wrote_moves_no_cursor(model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    """T9: the log is what is read after a theft."""
    model(f"withdraw 5 --reason 'sells less' --by 'Gr\x1b[2Jace' --store store --chain {CHAIN} --keys keys")
    assert main(["model", "log", "--store", "store", "--chain", CHAIN]) == 0
    shown = capsys.readouterr().out
    assert "by Gr?[2Jace" in shown
    assert "\x1b" not in shown


def test_a_chain_without_a_repository_is_told(model: Model) -> None:
    assert "there is no release repository" in model("log --store store --chain nobody")
    assert "is no chain's name" in model("log --store store --chain ../x")
