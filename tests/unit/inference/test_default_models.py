"""Finding the models that come along."""

from pathlib import Path

import pytest

from inference.default_models import default_model_dir
from inference.errors import ModelFileMissing
from tests.builders.tiny_model import build_model_dir


def test_installed_models_come_before_a_checkouts(tmp_path: Path) -> None:
    """Beside an installed package, `models` may be anybody's."""
    for place in ("installed", "checkout"):
        build_model_dir(tmp_path / place / "gelateria-sole", golden=False)
    roots = (tmp_path / "installed", tmp_path / "checkout")
    assert default_model_dir(roots=roots) == tmp_path / "installed" / "gelateria-sole"
    assert default_model_dir(roots=roots[1:]) == tmp_path / "checkout" / "gelateria-sole"


def test_an_unknown_chain_is_told_which_there_are(tmp_path: Path) -> None:
    build_model_dir(tmp_path / "polar-scoop", tenant="polar-scoop", golden=False)
    with pytest.raises(ModelFileMissing, match="no model for the chain 'gelateria-rosso'") as caught:
        default_model_dir("gelateria-rosso", roots=(tmp_path,))
    assert "polar-scoop" in caught.value.remedy


@pytest.mark.parametrize("chain", ["../secret", "", ".", "a/b", "/etc"])
def test_a_chains_name_is_no_path(chain: str, tmp_path: Path) -> None:
    build_model_dir(tmp_path / "secret", golden=False)
    (tmp_path / "models").mkdir()
    with pytest.raises(ModelFileMissing):
        default_model_dir(chain, roots=(tmp_path / "models",))


def test_without_any_model_a_directory_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissing) as caught:
        default_model_dir(roots=(tmp_path / "none",))
    assert "directory" in caught.value.remedy
