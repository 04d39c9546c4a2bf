"""Files that hold no configuration are told apart from those that do."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud.config_sources import load_config
from daemon.errors import ConfigError


def test_file_and_environment_come_together(tmp_path: Path) -> None:
    """Each value knows where it came from; paths are relative to the file."""
    path = tmp_path / "cloud.toml"
    path.write_text('state_dir = "state"\n[s3]\nbucket = "from-file"\nca_file = "ca.crt"\n')
    loaded = load_config(path, {"TOPSCOOP_CLOUD_S3_BUCKET": "from-variable"})
    assert loaded.config.s3.bucket == "from-variable"
    assert loaded.config.state_dir == tmp_path / "state"
    assert loaded.config.s3.ca_file == tmp_path / "ca.crt"
    assert loaded.config.database_url == f"sqlite:///{tmp_path}/state/cloud.sqlite3"
    assert loaded.origins["s3.bucket"] == "TOPSCOOP_CLOUD_S3_BUCKET"
    assert loaded.origins["state_dir"] == str(path)
    assert loaded.origins["mqtt.port"] == "default"


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"\xff", "not TOML"), (b"a =", "not TOML"), (b"#" * (1 << 20) + b"#", "larger than 1 MiB")],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "cloud.toml"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=message) as refusal:
        load_config(path, {})
    assert refusal.value.remedy


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load_config(tmp_path / "none.toml", {})
