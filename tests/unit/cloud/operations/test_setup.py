"""The steps of setting up, in their order."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from cloud.config import CloudConfig, MasterKeyConfig, S3Config
from cloud.errors import StandInRefused
from cloud.objects.ports import ObjectsAway
from cloud.operations import setup
from cloud.operations.setup import STEPS, SetUp, run_steps
from daemon.errors import ConfigError
from tests.builders.cloud_database import NOW_MS


@pytest.fixture
def config(tmp_path: Path) -> CloudConfig:
    return CloudConfig(
        environment="development", state_dir=tmp_path / "state", master_key=MasterKeyConfig(kind="file")
    )


def test_every_step_is_there() -> None:
    """Names and functions of the table exist."""
    import importlib

    for _, place in STEPS:
        module, _, function = place.partition(":")
        assert callable(getattr(importlib.import_module(module), function)), place


def test_a_step_that_fails_leaves_those_before_it_done(config: CloudConfig) -> None:
    """No S3 server answers: folder, databases and certificates are made, and the error says what lacks."""
    nobody = dataclasses.replace(
        config,
        s3=S3Config(endpoint_url="http://127.0.0.1:1", access_key="a", secret_key="b", connect_timeout_s=0.5),
    )
    done: list[str] = []
    with pytest.raises(ObjectsAway):
        done.extend(name for name, _ in run_steps(SetUp(nobody, NOW_MS)))
    assert done == ["state folder", "database", "consent keys", "certificates"]
    assert {path.name for path in config.state_dir.iterdir()} >= {"cloud.sqlite3", "keys.sqlite3", "pki"}


def run_steps_until_bucket(config: CloudConfig) -> list[tuple[str, str]]:
    found = []
    for name, words in run_steps(SetUp(config, NOW_MS)):
        found.append((name, words))
        if name == "certificates":
            break
    return found


def test_a_second_time_makes_nothing(config: CloudConfig) -> None:
    run_steps_until_bucket(config)
    before = {path: path.read_bytes() for path in (config.state_dir / "pki").rglob("*") if path.is_file()}
    run_steps_until_bucket(config)
    assert {path: path.read_bytes() for path in before} == before


def test_stand_ins_stop_it_in_production(config: CloudConfig) -> None:
    """Before anything is made."""
    with pytest.raises(StandInRefused):
        next(run_steps(SetUp(dataclasses.replace(config, environment="production"), NOW_MS)))
    assert not config.state_dir.exists()


def test_keys_and_data_in_one_database_are_refused(config: CloudConfig) -> None:
    """T26: also where two roles make two addresses of one database."""
    both = dataclasses.replace(
        config,
        database_url="postgresql+psycopg://app:x@db/one",
        keys_url="postgresql+psycopg://keeper:y@db/one",
    )
    with pytest.raises(ConfigError, match="name one database"):
        setup.database(SetUp(both, NOW_MS))
