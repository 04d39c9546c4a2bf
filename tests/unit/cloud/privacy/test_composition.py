"""The parts from the configuration; stand-ins in development only."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from cloud.config import CloudConfig, MasterKeyConfig
from cloud.database.engine import open_database
from cloud.errors import DatabaseNotMigrated, StandInRefused
from cloud.operations.setup import SetUp
from cloud.privacy.adapters.kms_master_key import KmsMasterKey
from cloud.privacy.composition import master_key_file, open_master_key, open_vault, set_up_keys
from cloud.privacy.key_schema import KEYS
from daemon.errors import ConfigError


def _config(folder: Path, **master: str) -> CloudConfig:
    key = MasterKeyConfig(**master)  # type: ignore[arg-type]
    return CloudConfig(environment="development", state_dir=folder, master_key=key)


def test_a_file_is_refused_in_production_and_loud_in_development(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = _config(tmp_path, kind="file")
    with pytest.raises(StandInRefused):
        open_master_key(replace(config, environment="production"))
    assert not master_key_file(tmp_path).exists()
    with caplog.at_level(logging.WARNING):
        open_master_key(config)
    assert "stand_in.used" in caplog.messages
    assert master_key_file(tmp_path).exists()


def test_kms_must_name_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="kms_key_id"):
        open_master_key(_config(tmp_path, kind="kms"))
    assert isinstance(open_master_key(_config(tmp_path, kind="kms", kms_key_id="any")), KmsMasterKey)


def test_set_up_makes_the_tables_and_may_run_again(tmp_path: Path) -> None:
    config = _config(tmp_path, kind="file")
    open_database(config.keys_url, KEYS).close()
    with pytest.raises(DatabaseNotMigrated):
        open_vault(config)
    for _ in range(2):
        assert "master key: file" in set_up_keys(SetUp(config, 0))
    open_vault(config).close()
