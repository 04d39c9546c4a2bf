"""`topscoop cloud api-client`, from an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud.config_sources import load_config
from tests.builders.cloud_cli import cloud, cloud_json
from tests.builders.cloud_database import set_up

_DEVELOPMENT = 'environment = "development"\nstate_dir = "state"\n[master_key]\nkind = "file"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cloud.toml"
    path.write_text(_DEVELOPMENT)
    set_up(load_config(path, {}).config)
    assert cloud("tenant", "add", "gelato", "--config", path)[0] == 0
    return path


def test_a_client_is_added_listed_and_removed(file: Path) -> None:
    """Its secret is printed once, and is nowhere else."""
    place = ("--tenant", "gelato", "--config", file)
    assert cloud("api-client", "list", *place)[1].startswith("none yet")
    added = cloud_json("api-client", "add", "--name", "Partner", *place)
    assert len(added["client_secret"]) == 43
    assert added["token_url"] == "http://gelato.localhost:8740/v1/token"
    listed = cloud_json("api-client", "list", *place)
    assert [one["client_id"] for one in listed] == [added["client_id"]]
    assert added["client_secret"] not in str(listed)
    state = b"".join(one.read_bytes() for one in (file.parent / "state").rglob("*") if one.is_file())
    assert added["client_id"].encode() in state
    assert added["client_secret"].encode() not in state
    shown = cloud("api-client", "add", "--name", "Other", *place)[1]
    assert "this once" in shown
    assert cloud("api-client", "remove", added["client_id"], *place)[0] == 0
    assert cloud("api-client", "remove", added["client_id"], *place)[0] != 0
    assert "Other" in cloud("api-client", "list", *place)[1]
    assert "Partner" not in cloud("api-client", "list", *place)[1]
