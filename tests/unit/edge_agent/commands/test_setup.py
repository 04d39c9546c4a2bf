from argparse import Namespace
from pathlib import Path

import pytest

from edge_agent.commands.setup import load_setup
from inference import ModelError
from tests.builders.tiny_model import build_model_dir


def test_without_a_configuration_every_slate_is_the_models(tmp_path: Path) -> None:
    setup = load_setup(
        Namespace(config=None, model=build_model_dir(tmp_path, tenant="polar-scoop"), chain=None)
    )
    assert setup.config.tenant == "polar-scoop"
    assert (setup.config.arms.explore, setup.config.arms.bestsellers) == (0, 0)
    assert setup.slot.current is setup.model
    assert setup.name == "polar-scoop-tiny 2026.11.22"


def test_a_configuration_is_taken_with_its_arms_and_model(tmp_path: Path) -> None:
    directory = build_model_dir(tmp_path / "model")
    file = tmp_path / "edge.toml"
    file.write_text(f'tenant = "gelateria-sole"\nstore = "s"\nregister = "r"\nmodel_dir = "{directory}"\n')
    setup = load_setup(Namespace(config=file, model=None, chain=None))
    assert setup.config.arms.bestsellers == 0.1
    assert setup.config.model_dir == directory


def test_no_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        load_setup(Namespace(config=None, model=tmp_path, chain=None))
