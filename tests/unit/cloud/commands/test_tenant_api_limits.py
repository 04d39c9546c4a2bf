"""`topscoop cloud tenant api-limits`."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud.config_sources import load_config
from tests.builders.cloud_cli import cloud, cloud_json
from tests.builders.cloud_database import set_up


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cloud.toml"
    path.write_text('environment = "development"\nstate_dir = "state"\n[master_key]\nkind = "file"\n')
    set_up(load_config(path, {}).config)
    cloud_json("tenant", "add", "gelato", "--config", path)
    return path


def test_limits_are_changed_one_by_one_and_reset(file: Path) -> None:
    """What was never named follows the configuration; what was used today is shown beside it."""
    shown = cloud_json("tenant", "api-limits", "gelato", "--config", file)
    assert (shown["uploads_per_day"], shown["requests_per_minute"]) == (100_000, 600)
    assert (shown["today"]["uploads"], shown["today"]["bytes"]) == (0, 0)
    changed = cloud_json("tenant", "api-limits", "gelato", "--uploads-per-day", 5, "--config", file)
    assert (changed["uploads_per_day"], changed["requests_per_minute"]) == (5, 600)
    cloud_json("tenant", "api-limits", "gelato", "--requests-per-minute", 7, "--config", file)
    status, text, _ = cloud("tenant", "api-limits", "gelato", "--config", file)
    assert status == 0
    assert "uploads_per_day      5" in text
    assert "requests_per_minute  7" in text
    reset = cloud_json("tenant", "api-limits", "gelato", "--reset", "--config", file)
    assert reset["uploads_per_day"] == 100_000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("gelato", "--uploads-per-minute", 0), "--uploads-per-minute must be"),
        (("gelato", "--reset", "--uploads-per-day", 1), "exclude each other"),
        (("nobody",), "nobody"),
        (("No/Body",), "cannot be a chain's id"),
    ],
)
def test_what_cannot_be_is_refused(file: Path, words: tuple[object, ...], message: str) -> None:
    """With the key's own bounds; nothing is changed."""
    status, _, err = cloud("tenant", "api-limits", *words, "--config", file)
    assert status == 2
    assert message in err
