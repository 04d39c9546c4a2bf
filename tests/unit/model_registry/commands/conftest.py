"""A development repository with one release, and the command line over it."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.builders.release_repository import MODELS
from topscoop.cli import main

CHAIN = "polar-scoop"
MODEL = MODELS / CHAIN
Model = Callable[[str], Any]


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("registry")
    place = f"--store {folder}/store --keys {folder}/keys"
    assert (
        main(shlex.split(f"model init --development --no-model-signing --chain {CHAIN} {place} --json")) == 0
    )
    assert main(shlex.split(f"model publish {MODEL} --release 5 --by Ada {place} --json")) == 0
    return folder


@pytest.fixture
def folder(_made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Holds `store` and `keys`; it is the working folder."""
    target = tmp_path / "registry"
    shutil.copytree(_made, target)
    monkeypatch.chdir(target)
    return target


@pytest.fixture
def model(folder: Path, capsys: pytest.CaptureFixture[str]) -> Model:
    """Runs `topscoop model …`; the JSON that it prints, or what it says on standard error where it fails."""

    def run(words: str) -> Any:
        capsys.readouterr()
        status = main(["model", *shlex.split(words), "--json"])
        said = capsys.readouterr()
        return json.loads(said.out) if status == 0 else f"{status}: {said.err}"

    return run
