from pathlib import Path
from typing import Any

import pytest

from tests.unit.model_registry.commands.conftest import CHAIN, Model
from topscoop.cli import main


def test_it_says_loudly_what_the_keys_are_worth(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["init", "--development", "--chain", "gelateria-sole", "--store", "store", "--keys", "new-keys"]
    assert main(["model", *words]) == 0
    said = capsys.readouterr()
    assert "DEVELOPMENT KEYS" in said.err
    assert "Never use them for a real chain" in said.err
    assert "topscoop cloud tenant trust gelateria-sole new-keys/gelateria-sole.root.json" in said.out


def test_it_must_be_called_development(folder: Path) -> None:
    with pytest.raises(SystemExit):
        main(["model", "init", "--chain", CHAIN, "--store", "store", "--keys", "keys"])


def test_what_is_there_stays(model: Model, folder: Path) -> None:
    """So that a stack may run it at every start."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found: Any = model(f"init --development --chain {CHAIN} --store store --keys keys")
    assert found["made"] is False
    assert (
        Path(found["root"]).read_bytes() == (folder / f"store/tuf/{CHAIN}/metadata/1.root.json").read_bytes()
    )
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_folder_of_something_else_is_left_alone(model: Model, folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "file").write_text("x")
    assert "holds something else" in model(f"init --development --chain {CHAIN} --store s --keys mine")
