"""`topscoop sim register`: what it makes of its arguments."""

import argparse
from pathlib import Path
from typing import NoReturn

import pytest

import simulator.register
from simulator.bank import CharacterBank
from simulator.commands import register
from simulator.register import SimulatedRegister


class _SeenEnoughError(Exception):
    """The arguments were looked at; nothing shall start."""


def test_a_relative_folder_is_the_one_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The register's configuration lies in it and names paths as seen from it: a relative one would nest."""
    seen: list[Path] = []

    async def look(options: SimulatedRegister, _bank: CharacterBank, _say: object) -> NoReturn:
        seen.append(options.folder)
        raise _SeenEnoughError

    monkeypatch.setattr(simulator.register, "run_register", look)
    monkeypatch.chdir(tmp_path)
    parser = argparse.ArgumentParser()
    register.add_parser(parser.add_subparsers())
    args = parser.parse_args(["register", "--folder", "till"])
    with pytest.raises(_SeenEnoughError):
        args.run(args)
    assert seen == [tmp_path / "till"]
