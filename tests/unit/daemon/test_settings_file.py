"""File and environment come together."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from daemon.errors import ConfigError
from daemon.settings import Settings
from daemon.settings_file import load
from daemon.settings_key import about


@dataclass(frozen=True, slots=True)
class Kitchen:
    """A kitchen."""

    cook: str = field(default="anna", metadata=about("who cooks"))
    recipes: Path | None = field(default=None, metadata=about("where the recipes are"))


SETTINGS = Settings(Kitchen, title="Kitchen", prefix="KITCHEN_", remedy="")


def test_each_value_knows_where_it_comes_from(tmp_path: Path) -> None:
    """And a path in a file is relative to that file."""
    file = tmp_path / "kitchen.toml"
    file.write_text('cook = "olga"\nrecipes = "r"\n')
    loaded = load(SETTINGS, file, {"KITCHEN_COOK": "otto", "HOME": "/root"}, "sample.toml")
    assert loaded.config == Kitchen("otto", tmp_path.resolve() / "r")
    assert loaded.origins == {"cook": "KITCHEN_COOK", "recipes": str(file)}


def test_no_file_is_no_mistake() -> None:
    loaded = load(SETTINGS, None, {}, "sample.toml")
    assert loaded.config == Kitchen()
    assert set(loaded.origins.values()) == {"default"}


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"cook = ", "not TOML"), (b"\xff\xfe", "not TOML"), (b"#" * ((1 << 20) + 1), "larger than 1 MiB")],
    ids=["cut", "no-text", "large"],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "kitchen.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as refusal:
        load(SETTINGS, file, {}, "sample.toml")
    assert str(file) in str(refusal.value)


def test_a_missing_file_is_named_with_the_sample(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml") as refusal:
        load(SETTINGS, tmp_path / "none.toml", {}, "sample.toml")
    assert "sample.toml" in refusal.value.remedy
