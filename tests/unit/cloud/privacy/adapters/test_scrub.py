"""Destroyed keys are in no file of their database."""

import random
import secrets
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from sqlalchemy import select

from cloud.operations.setup import prepare_database
from cloud.privacy import wrapping
from cloud.privacy.adapters import scrub
from cloud.privacy.adapters.file_master_key import FileMasterKey
from cloud.privacy.adapters.sql_key_vault import SqlKeyVault
from cloud.privacy.errors import KeysNotScrubbed
from cloud.privacy.key_schema import KEYS, consent_keys
from tests.builders.postgres import PostgresCluster

NOW_MS = 1_795_000_000_000
KEYS_ISSUED = 600
PART = slice(20, 44)
"""Of a wrapped key: a search for parts finds torn copies too."""


def _wrapped(vault: SqlKeyVault, tenant: str) -> dict[bytes, bytes]:
    with vault.database.tenant(tenant, read_only=True) as connection:
        rows = connection.execute(select(consent_keys.c.blank, consent_keys.c.wrapped))
        return {row.blank: row.wrapped for row in rows}


def _filled(url: str, tmp_path: Path) -> tuple[SqlKeyVault, dict[bytes, bytes]]:
    prepare_database(url, None, KEYS)
    vault = SqlKeyVault(url, FileMasterKey(tmp_path / "master.key"))
    for number in range(KEYS_ISSUED // 50):
        vault.issue("nord", f"till-{number % 3}", 50, NOW_MS + number, NOW_MS + 1000)
    return vault, _wrapped(vault, "nord")


def _found(files: Iterable[Path], keys: Iterable[bytes]) -> int:
    heap = b"".join(path.read_bytes() for path in files)
    return sum(key[PART] in heap for key in keys)


def _files(folder: Path, *, wal: bool) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and ("pg_wal" in path.parts) == wal]


def test_sqlite_keeps_no_copy_of_a_destroyed_key(tmp_path: Path) -> None:
    """T25: neither database file nor write-ahead log holds a destroyed key; the living ones are all there."""
    vault, keys = _filled(f"sqlite:///{tmp_path}/keys.sqlite3", tmp_path)
    order = sorted(keys)
    random.Random(4).shuffle(order)
    files = [tmp_path / "keys.sqlite3", tmp_path / "keys.sqlite3-wal"]
    assert _found(files, keys.values()) == KEYS_ISSUED, "the search finds what is there"
    for gone in (order[:200], order[200:300], order[300:301]):
        vault.destroy("nord", gone)
        # Rows of destroyed keys go at the end of their time: pages merge, and living keys move about.
        vault.forget("nord", NOW_MS + 2000)
    assert _found(files, [keys[blank] for blank in order[:301]]) == 0
    assert _found(files, [keys[blank] for blank in order[301:]]) == KEYS_ISSUED - 301
    vault.close()


def test_a_reader_that_holds_on_to_old_copies_is_reported_not_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T25: the key is not called destroyed while a reader keeps the log from being emptied; later it is."""
    monkeypatch.setattr(scrub, "_BUSY_TIMEOUT_S", 0.05)
    vault, keys = _filled(f"sqlite:///{tmp_path}/keys.sqlite3", tmp_path)
    blank = min(keys)
    reader = sqlite3.connect(tmp_path / "keys.sqlite3", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM consent_keys").fetchone()
    with pytest.raises(KeysNotScrubbed):
        vault.destroy("nord", [blank])
    reader.close()
    vault.destroy("nord", [blank])
    assert _found([tmp_path / "keys.sqlite3", tmp_path / "keys.sqlite3-wal"], [keys[blank]]) == 0
    vault.close()


@pytest.fixture
def cluster() -> Iterable[PostgresCluster]:
    # What docs/privacy.md asks of an operator: segments that are done with are deleted, not written over.
    with PostgresCluster(fsync=False, settings={"wal_recycle": "off"}) as running:
        yield running


@pytest.mark.service
def test_postgresql_keeps_no_copy_in_its_tables_and_the_log_loses_it_with_its_segments(
    cluster: PostgresCluster, tmp_path: Path
) -> None:
    """T25: no table file holds a destroyed key; pg_wal holds its ciphertext until two checkpoints."""
    with cluster.fresh_database() as database:
        vault, keys = _filled(database.owner_url, tmp_path)
        gone = random.Random(4).sample(sorted(keys), 30)
        kept = [key for blank, key in keys.items() if blank not in gone][:30]
        vault.destroy("nord", gone)
        vault.close()
        with cluster.connect() as superuser:
            superuser.execute("CHECKPOINT")
            data = cluster.folder / "data"
            assert _found(_files(data, wal=False), [keys[blank] for blank in gone]) == 0
            assert _found(_files(data, wal=False), kept) == 30
            # The log has what was written to it: ciphertext, under a day key under the master key.
            assert _found(_files(data, wal=True), [keys[blank] for blank in gone]) > 0
            for _ in range(2):
                superuser.execute("SELECT pg_switch_wal()")
                superuser.execute("CHECKPOINT")
            assert _found(_files(data, wal=True), [keys[blank] for blank in gone]) == 0


def test_no_private_key_is_ever_written_unwrapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """T26: whoever copies the database's files without the master key has no consent's private key."""
    written: list[bytes] = []
    real: Callable[[int], bytes] = secrets.token_bytes

    def remembered(length: int) -> bytes:
        written.append(real(length))
        return written[-1]

    monkeypatch.setattr(secrets, "token_bytes", remembered)
    vault, keys = _filled(f"sqlite:///{tmp_path}/keys.sqlite3", tmp_path)
    files = [path for path in tmp_path.iterdir() if path.name.startswith("keys.sqlite3")]
    data = b"".join(path.read_bytes() for path in files)
    day_keys = [value for value in written if len(value) == 32]
    assert day_keys
    assert not [key for key in day_keys if key in data]
    privates = [
        wrapping.unwrap(
            wrapped, vault._day_key("nord", "2026-11-18"), wrapping.consent_binding("nord", blank)
        )
        for blank, wrapped in keys.items()
    ]
    assert len(privates) == KEYS_ISSUED
    assert not [private for private in privates if private in data]
    vault.close()
