"""What a database does when it is away, damaged or busy, and what it forgets."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, insert, text
from sqlalchemy.exc import OperationalError

from cloud.database import engine
from cloud.database.engine import Database, open_database
from cloud.database.schema import quarantine
from cloud.errors import DatabaseAway, DatabaseNotMigrated
from daemon.errors import ConfigError
from tests.builders.cloud_database import NOW_MS, add_tenants, postgres_service, sqlite_database

if TYPE_CHECKING:
    from tests.builders.postgres import PostgresCluster

_CANARY = b"canary-that-must-not-stay-anywhere" * 100


def _quarantined(database: Database) -> None:
    with database.tenant("gelato") as connection:
        connection.execute(
            insert(quarantine).values(
                tenant="gelato",
                register="till-1",
                message_id=bytes(16),
                sha256=bytes(32),
                at_ms=NOW_MS,
                error="",
                message=_CANARY,
            )
        )


def test_sqlite_promises_what_it_must(tmp_path: Path) -> None:
    """T13: every connection has the settings without which an acknowledged row could be lost."""
    with sqlite_database(tmp_path) as database, database.system() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 30_000,
    }


def test_the_file_is_private(tmp_path: Path) -> None:
    """The write-ahead log takes the file's mode."""
    with sqlite_database(tmp_path) as database:
        add_tenants(database, "gelato")
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert set(modes.values()) == {0o600}
    assert len(modes) > 1


def test_what_was_deleted_is_in_no_file(tmp_path: Path) -> None:
    """T25: after a scrub, grep finds nothing in database and write-ahead log."""
    with sqlite_database(tmp_path) as database:
        _quarantined(database)
        with database.tenant("gelato") as connection:
            connection.execute(delete(quarantine))
        held = [path.name for path in tmp_path.iterdir() if _CANARY[:34] in path.read_bytes()]
        assert held, "the test shows nothing if the bytes were not there before"
        database.scrub()
        assert [path.name for path in tmp_path.iterdir() if _CANARY[:34] in path.read_bytes()] == []


def test_a_scrub_that_a_reader_hinders_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not pass for done."""
    monkeypatch.setattr(engine, "_BUSY_TIMEOUT_S", 0.05)
    with sqlite_database(tmp_path) as database:
        _quarantined(database)
        with database.tenant("gelato", read_only=True) as reader:
            reader.execute(text("SELECT * FROM quarantine")).all()
            with database.tenant("gelato") as connection:
                connection.execute(delete(quarantine))
            with pytest.raises(DatabaseAway, match="write-ahead log"):
                database.scrub()


def test_a_writer_that_never_ends_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other writer's lock is waited for, and then named; the transaction kept nothing."""
    monkeypatch.setattr(engine, "_BUSY_TIMEOUT_S", 0.05)
    with sqlite_database(tmp_path) as database:
        other = sqlite3.connect(tmp_path / "cloud.sqlite3", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseAway, match="locked"):
            add_tenants(database, "gelato")
        other.execute("ROLLBACK")
        other.close()
        add_tenants(database, "gelato")
        assert database.tenants() == ["gelato"]


def test_a_damaged_file_is_no_crash(tmp_path: Path) -> None:
    """T14: pages that were overwritten."""
    with sqlite_database(tmp_path) as database:
        add_tenants(database, "gelato")
        database.scrub()
    path = tmp_path / "cloud.sqlite3"
    path.write_bytes(b"\xff" * path.stat().st_size)
    with open_database(f"sqlite:///{path}") as database, pytest.raises(DatabaseAway, match="not a database"):
        database.check()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    nowhere = open_database(f"sqlite:///{tmp_path}/none/cloud.sqlite3")
    with nowhere as database, pytest.raises(DatabaseAway, match="unable to open"):
        database.tenants()


def test_an_empty_database_asks_for_set_up(tmp_path: Path) -> None:
    with open_database(f"sqlite:///{tmp_path}/cloud.sqlite3") as database:
        with pytest.raises(DatabaseNotMigrated) as told:
            database.check()
        assert "topscoop cloud setup" in told.value.remedy
        with pytest.raises(OperationalError, match="no such table"):  # ours, not the disk's
            database.tenants()


@pytest.mark.parametrize("url", ["", "x", "sqlite://", "mysql://a@b/c", "postgresql://a@b/c"])
def test_an_address_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="address"):
        open_database(url)


@pytest.mark.service
def test_it_comes_back_by_itself_after_postgres_was_killed(postgres_cluster: PostgresCluster) -> None:
    """T18: `DatabaseAway` while it is away; then the same object works again, with what was committed."""
    with postgres_cluster.fresh_database() as fresh, postgres_service(fresh) as database:
        add_tenants(database, "gelato")
        postgres_cluster.kill()
        try:
            for _ in range(3):
                with pytest.raises(DatabaseAway):
                    database.tenants()
        finally:
            postgres_cluster.start()
        assert database.tenants() == ["gelato"]
        add_tenants(database, "bianca")
        database.check()


@pytest.mark.service
def test_a_transaction_that_loses_its_server_keeps_nothing(postgres_cluster: PostgresCluster) -> None:
    """T18: killed between statement and commit."""

    def act(database: Database) -> None:
        with database.tenant("gelato") as connection:
            connection.execute(text("SELECT 1"))
            postgres_cluster.kill()

    with postgres_cluster.fresh_database() as fresh, postgres_service(fresh) as database:
        try:
            with pytest.raises(DatabaseAway):
                act(database)
        finally:
            postgres_cluster.start()
        assert database.tenants() == []


def test_threads_share_one_database(tmp_path: Path) -> None:
    """More threads than connections wait for one; none fails."""
    with sqlite_database(tmp_path) as database:
        add_tenants(database, "gelato")
        failed: list[Exception] = []

        def read() -> None:
            try:
                for _ in range(5):
                    assert database.tenants() == ["gelato"]
            except Exception as error:  # noqa: BLE001 - shown by the test
                failed.append(error)

        threads = [threading.Thread(target=read) for _ in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
