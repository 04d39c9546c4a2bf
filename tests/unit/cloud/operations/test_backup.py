"""What a backup holds, and what it must not."""

from __future__ import annotations

import dataclasses
import os
import threading
from pathlib import Path

import pytest
from sqlalchemy import insert

from cloud.config import CloudConfig, MasterKeyConfig
from cloud.database.engine import open_database
from cloud.database.schema import registers
from cloud.errors import BackupError, DatabaseNotMigrated
from cloud.operations.backup import back_up
from cloud.operations.manifest import read_manifest, verify
from cloud.operations.tenants import create_tenant
from tests.builders.cloud_database import NOW_MS, set_up, some_tenant

_CANARY = b"this-is-a-secret-that-belongs-in-no-backup"


@pytest.fixture
def config(tmp_path: Path) -> CloudConfig:
    made = CloudConfig(
        environment="development", state_dir=tmp_path / "state", master_key=MasterKeyConfig(kind="file")
    )
    set_up(made)
    with open_database(made.database_url) as database:
        create_tenant(database, made, some_tenant("gelato"), actor="operator:ada")
    return made


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["keys.sqlite3", "keys.db"])
def test_neither_consent_keys_nor_master_key_are_in_it(
    config: CloudConfig, tmp_path: Path, name: str
) -> None:
    """T25: a backup that held them could undo an erasure; grep finds no byte of either."""
    config = dataclasses.replace(config, keys_url=f"sqlite:///{config.state_dir}/{name}")
    for end in ("", "-wal", "-shm", "-journal"):
        (config.state_dir / f"{name}{end}").write_bytes(_CANARY)
    master = (config.state_dir / "master.key").read_bytes()
    back_up(config, tmp_path / "backup", NOW_MS)
    held = [path.read_bytes() for path in (tmp_path / "backup").rglob("*") if path.is_file()]
    assert not any(master in data or _CANARY in data for data in held)
    assert "state/service-keys/gelato/consent.pem" in _files(tmp_path / "backup")


def test_the_master_key_is_in_it_when_asked_for(config: CloudConfig, tmp_path: Path) -> None:
    manifest = back_up(config, tmp_path / "backup", NOW_MS, with_master_key=True)
    assert manifest.master_key
    held = (tmp_path / "backup" / "state" / "master.key").read_bytes()
    assert held == (config.state_dir / "master.key").read_bytes()


def test_it_is_for_its_owners_eyes_only(config: CloudConfig, tmp_path: Path) -> None:
    """It holds the services' private keys."""
    back_up(config, tmp_path / "backup", NOW_MS)
    everything = [tmp_path / "backup", *(tmp_path / "backup").rglob("*")]
    assert [path for path in everything if path.stat().st_mode & 0o077] == []


def test_it_is_never_half_there(config: CloudConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """T13: a full disk leaves nothing behind under the backup's name, and no draft."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(BackupError, match="No space left"):
            back_up(config, tmp_path / "backup", NOW_MS)
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    back_up(config, tmp_path / "backup", NOW_MS)
    verify(tmp_path / "backup", read_manifest(tmp_path / "backup"))


def test_what_is_there_is_not_overwritten(config: CloudConfig, tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    with pytest.raises(BackupError, match="is there already"):
        back_up(config, tmp_path / "backup", NOW_MS)


def test_a_database_that_was_never_set_up_is_not_backed_up(tmp_path: Path) -> None:
    empty = CloudConfig(state_dir=tmp_path)
    with pytest.raises(DatabaseNotMigrated):
        back_up(empty, tmp_path / "backup", NOW_MS)


def test_rows_are_of_one_instant(config: CloudConfig, tmp_path: Path) -> None:
    """What another service writes while tables are copied is in none of them, and is not held up."""
    wrote = threading.Event()

    def write(_: str) -> None:
        if wrote.is_set():
            return
        with open_database(config.database_url) as database, database.tenant("gelato") as connection:
            connection.execute(
                insert(registers).values(
                    tenant="gelato", register="late", store="s", state="invited", created_at_ms=NOW_MS
                )
            )
        wrote.set()

    manifest = back_up(config, tmp_path / "backup", NOW_MS, progress=write)
    assert wrote.is_set()
    assert manifest.rows["registers"] == 1  # the public API's own
