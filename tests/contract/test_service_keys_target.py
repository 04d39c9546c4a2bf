"""The registry signs what the cloud prints about its service keys: the two meet in JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloud.config_sources import load_config
from model_registry.releases.service_keys import service_keys_file
from tests.builders.cloud_cli import cloud, cloud_json
from tests.builders.cloud_database import set_up


@pytest.mark.parametrize("verb", ["add", "show"])
def test_what_the_cloud_prints_is_what_the_registry_signs(verb: str, tmp_path: Path) -> None:
    """`topscoop cloud tenant show CHAIN --json` → `topscoop model service-keys`."""
    file = tmp_path / "cloud.toml"
    file.write_text('environment = "development"\nstate_dir = "state"\n[master_key]\nkind = "file"\n')
    set_up(load_config(file, {}).config)
    printed = cloud_json("tenant", "add", "gelato", "--config", file)
    if verb == "show":
        printed = json.loads(cloud("tenant", "show", "gelato", "--json", "--config", file)[1])
    signed = json.loads(service_keys_file(json.dumps(printed).encode(), "gelato"))
    assert {key["purpose"] for key in signed["keys"]} == {"receipts", "consent", "fleet", "files"}
    assert all(len(bytes.fromhex(key["public"])) >= 32 for key in signed["keys"])
