"""One small bank of rendered customers for all of the simulator's tests."""

from pathlib import Path

import pytest

from simulator.bank import CharacterBank


def no_progress(_done: int, _total: int) -> None:
    """Show nothing."""


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> CharacterBank:
    folder: Path = tmp_path_factory.mktemp("characters")
    return CharacterBank.open(8, seed=5, folder=folder, progress=no_progress)
