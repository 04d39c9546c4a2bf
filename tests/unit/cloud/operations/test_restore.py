"""The drill: back up, go on, erase, lose everything, restore; on both databases, and from one to another."""

from __future__ import annotations

import dataclasses
import json
import re
import secrets
import shutil
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select, update

from cloud.config import CloudConfig, MasterKeyConfig
from cloud.database.engine import open_database
from cloud.database.schema import (
    TENANT_TABLES,
    desired_states,
    metadata,
    quarantine,
    rollout_members,
    tenants,
    withdrawals,
)
from cloud.errors import BackupError, DatabaseNotMigrated, TargetNotEmpty
from cloud.objects.memory_store import MemoryStore
from cloud.objects.ports import ObjectsAway
from cloud.operations.backup import back_up
from cloud.operations.restore import repeat_erasures, restore
from cloud.operations.tenants import create_tenant
from cloud.privacy.erasure_log import LogEntry, entry_bytes, entry_key
from cloud.rollout.outbox import publish_again
from cloud.rollout.rows import read_policy
from cloud.service_keys import Purpose, ServiceKeyFolder
from daemon.errors import ConfigError
from tests.builders.cloud_database import NOW_MS, service_url, set_up, some_tenant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders.postgres import PostgresDatabase


def _clock() -> int:
    return NOW_MS


_DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.service)]


@pytest.fixture(params=_DATABASES)
def config(request: pytest.FixtureRequest, tmp_path: Path) -> CloudConfig:
    """A cloud that is set up, with two chains and rows in every table."""
    made = CloudConfig(
        environment="development",
        state_dir=tmp_path / "state",
        master_key=MasterKeyConfig(kind="file"),
    )
    if request.param == "postgres":
        database: PostgresDatabase = request.getfixturevalue("postgres_database")
        made = dataclasses.replace(
            made, database_url=service_url(database), database_owner_url=database.owner_url
        )
    set_up(made)
    with open_database(made.database_url) as database:
        for tenant in ("gelato", "bianca"):
            create_tenant(database, made, some_tenant(tenant), actor="operator:ada")
            with database.tenant(tenant) as connection:
                for table in TENANT_TABLES:
                    if table.name not in {"tenants", "service_keys", "audit"}:
                        connection.execute(insert(table).values(**_row(table, tenant)))
    return made


def _row(table: object, tenant: str) -> dict[str, object]:
    """A value for every column, of its kind."""
    values: dict[str, object] = {}
    for column in table.columns:  # type: ignore[attr-defined]
        kind = column.type.python_type
        length = getattr(column.type, "length", None) or 40
        values[column.name] = {
            "tenant": tenant,
            "state": "claimed",
            "kid": b"\0" * 16,
        }.get(
            column.name,
            {
                int: NOW_MS if "ms" in column.name else 7,
                bool: True,
                float: 0.25,
                bytes: b"\xff\0" * (length // 2),
            }.get(kind, "é\n\u2028"[:length] if kind is str else {"a": [1, None, "ü"]}),
        )
    values.pop("key_destroyed_at_ms", None)
    values.pop("versions_deleted_at_ms", None)
    return values


def _everything(config: CloudConfig) -> dict[str, list[tuple[object, ...]]]:
    with open_database(config.database_url) as database, database.system(read_only=True) as connection:
        found: dict[str, list[tuple[object, ...]]] = {}
        for tenant in database.list_tenants(connection):
            database.enter(connection, tenant)
            for table in metadata.sorted_tables:
                rows = connection.execute(select(table).where(table.c.tenant == tenant))
                found.setdefault(table.name, []).extend(tuple(row) for row in rows)
        return {name: sorted(rows, key=repr) for name, rows in found.items()}


def _lose(config: CloudConfig) -> None:
    """The machine is gone: database and state folder."""
    shutil.rmtree(config.state_dir)
    if config.database_owner_url is not None:
        with open_database(config.database_owner_url) as owner, owner.system() as connection:
            from sqlalchemy import MetaData

            existing = MetaData()
            existing.reflect(connection)
            existing.drop_all(connection)


def _logged(consent: bytes, tenant: str = "gelato") -> MemoryStore:
    objects = MemoryStore(_clock)
    entry = LogEntry(tenant, consent.hex(), "customer", NOW_MS + 5)
    objects.put(entry_key(entry), entry_bytes(entry), {}, {})
    return objects


def test_what_was_backed_up_comes_back(config: CloudConfig, tmp_path: Path) -> None:
    """Every row of every table, to the byte but for what must not come back as it was; the services' keys."""
    before = _everything(config)
    assert all(before.values())
    key = ServiceKeyFolder(config.state_dir).load("gelato", Purpose.CONSENT)
    manifest = back_up(config, tmp_path / "backup", NOW_MS)
    assert manifest.rows == {name: len(rows) for name, rows in before.items()}
    _lose(config)
    restored = restore(config, MemoryStore(_clock), tmp_path / "backup", NOW_MS, actor="operator:ada")
    assert restored.erasures_due == 0
    after = _everything(config)
    restored_entries = [row for row in after["audit"] if row not in before["audit"]]
    assert {row[4] for row in restored_entries} == {"database.restored"}
    apart = {
        *("audit", "console_sessions", "desired_states", "rollout_members", "rollout_policies"),
        *("api_sessions", "device_grants", "web_blanks", "jobs"),
    }
    assert {name: rows for name, rows in after.items() if name not in apart} == {
        name: rows for name, rows in before.items() if name not in apart
    }
    assert ServiceKeyFolder(config.state_dir).load("gelato", Purpose.CONSENT).kid == key.kid


def test_old_rows_let_nobody_in_and_tell_nobody_anything(config: CloudConfig, tmp_path: Path) -> None:
    """T24, T28: sessions are over; orders have numbers that no register knows, and rollouts are frozen."""
    before = _everything(config)
    back_up(config, tmp_path / "backup", NOW_MS)
    _lose(config)
    restore(config, MemoryStore(_clock), tmp_path / "backup", NOW_MS + 9, actor="operator:ada")
    after = _everything(config)
    assert before["console_sessions"]
    assert after["console_sessions"] == []
    columns = list(desired_states.columns.keys())
    generation, published = columns.index("generation"), columns.index("published_generation")
    assert {(row[generation], row[published]) for row in before["desired_states"]} == {(7, 7)}
    assert {(row[generation], row[published]) for row in after["desired_states"]} == {(1007, 1007)}
    at = list(rollout_members.columns.keys()).index("generation")
    assert {row[at] for row in after["rollout_members"]} == {1007}
    with open_database(config.database_url) as database, database.tenant("gelato") as connection:
        policy = read_policy(connection, "gelato")
        assert policy.frozen is not None
        assert policy.frozen.startswith("operator:ada: restored from a backup")
        # Registers know the orders of before: none of the backup's is sent to them by itself.
        known = [(row[columns.index("register")], 9) for row in after["desired_states"] if row[0] == "gelato"]
        assert publish_again(connection, "gelato", known, 1 << 60, frozen=True) == 0


def test_an_erasure_after_the_backup_is_applied_before_anybody_serves(
    config: CloudConfig, tmp_path: Path
) -> None:
    """T25: the restored database has the withdrawal in the same transaction in which it has the frame."""
    consent = secrets.token_bytes(16)
    back_up(config, tmp_path / "backup", NOW_MS)
    _lose(config)
    restored = restore(config, _logged(consent), tmp_path / "backup", NOW_MS, actor="operator:ada")
    assert restored.erasures_due == 1
    with open_database(config.database_url) as database, database.tenant("gelato") as connection:
        row = connection.execute(select(withdrawals).where(withdrawals.c.consent == consent)).one()
    assert (row.source, row.received_at_ms) == ("customer", NOW_MS + 5)
    assert (row.key_destroyed_at_ms, row.versions_deleted_at_ms) == (None, None)


def test_without_the_erasure_log_nothing_is_restored(config: CloudConfig, tmp_path: Path) -> None:
    """T25: the store is away, or an entry cannot be read: the database stays as it was."""

    class Away(MemoryStore):
        def folders(self, prefix: str) -> Iterator[str]:
            raise ObjectsAway("no answer")

    unreadable = MemoryStore(_clock)
    unreadable.put("erasure-log/gelato/2026/11/x.json", b"{}", {}, {})
    back_up(config, tmp_path / "backup", NOW_MS)
    before = _everything(config)
    for objects, error in ((Away(_clock), ObjectsAway), (unreadable, BackupError)):
        with pytest.raises(error):
            restore(config, objects, tmp_path / "backup", NOW_MS, actor="operator:ada", force=True)
    assert _everything(config) == before


def test_what_is_there_is_not_overwritten_unasked(config: CloudConfig, tmp_path: Path) -> None:
    """Neither the database nor the state folder; with `force`, both are as in the backup."""
    back_up(config, tmp_path / "backup", NOW_MS)
    with open_database(config.database_url) as database, database.tenant("gelato") as connection:
        connection.execute(update(tenants).where(tenants.c.tenant == "gelato").values(name="later"))
    with pytest.raises(TargetNotEmpty):
        restore(config, MemoryStore(_clock), tmp_path / "backup", NOW_MS, actor="operator:ada")
    restore(config, MemoryStore(_clock), tmp_path / "backup", NOW_MS, actor="operator:ada", force=True)
    assert {row[1] for row in _everything(config)["tenants"]} == {"Gelato", "Bianca"}


def test_a_restore_that_fails_half_way_leaves_what_was_there(config: CloudConfig, tmp_path: Path) -> None:
    """One transaction: rows that the tables refuse undo the tables that were dropped before."""
    back_up(config, tmp_path / "backup", NOW_MS)
    before = _everything(config)
    table = tmp_path / "backup" / "tables" / "withdrawals.jsonl"
    table.write_bytes(table.read_bytes() + b'["gelato","not base64"]\n')
    _agree(tmp_path / "backup")
    with pytest.raises(BackupError, match=r"withdrawals\.jsonl cannot be read"):
        restore(config, MemoryStore(_clock), tmp_path / "backup", NOW_MS, actor="operator:ada", force=True)
    assert _everything(config) == before


def _agree(folder: Path) -> None:
    """Make the manifest agree with the files: an alteration that digests do not show."""
    from cloud.operations.manifest import digest

    path = folder / "manifest.json"
    document = json.loads(path.read_bytes())
    document["files"] = {name: digest(folder / name) for name in document["files"]}
    path.write_text(json.dumps(document))


def test_erasures_can_be_repeated_after_older_keys_came_back(config: CloudConfig) -> None:
    """T25: somebody restored the database of consent keys: all that was ever erased is erased once more."""
    consent = secrets.token_bytes(16)
    with open_database(config.database_url) as database, database.tenant("gelato") as connection:
        connection.execute(
            insert(withdrawals).values(
                tenant="gelato",
                consent=consent,
                source="customer",
                withdrawn_at_ms=1,
                received_at_ms=1,
                key_destroyed_at_ms=2,
                versions_deleted_at_ms=3,
                versions_deleted=1,
            )
        )
    assert repeat_erasures(config, _logged(consent)) == 1
    with open_database(config.database_url) as database, database.tenant("gelato") as connection:
        row = connection.execute(select(withdrawals).where(withdrawals.c.consent == consent)).one()
    assert (row.key_destroyed_at_ms, row.versions_deleted_at_ms, row.versions_deleted) == (None, None, None)


@pytest.mark.service
def test_a_chain_can_move_from_sqlite_to_postgres(
    tmp_path: Path, request: pytest.FixtureRequest, postgres_database: PostgresDatabase
) -> None:
    """A backup is the same for every database."""
    source = CloudConfig(
        environment="development", state_dir=tmp_path / "a", master_key=MasterKeyConfig(kind="file")
    )
    set_up(source)
    with open_database(source.database_url) as database:
        create_tenant(database, source, some_tenant("gelato"), actor="operator:ada")
        with database.tenant("gelato") as connection:
            connection.execute(insert(quarantine).values(**_row(quarantine, "gelato")))
    back_up(source, tmp_path / "backup", NOW_MS)
    target = dataclasses.replace(
        source,
        state_dir=tmp_path / "b",
        database_url=service_url(postgres_database),
        database_owner_url=postgres_database.owner_url,
    )
    restore(target, MemoryStore(_clock), tmp_path / "backup", NOW_MS, actor="operator:ada")
    moved, origin = _everything(target), _everything(source)
    assert {name: rows for name, rows in moved.items() if name != "audit"} == {
        name: rows for name, rows in origin.items() if name != "audit"
    }
    with pytest.raises(ConfigError, match="owner"):
        restore(
            dataclasses.replace(target, database_owner_url=None),
            MemoryStore(_clock),
            tmp_path / "backup",
            NOW_MS,
            actor="x",
        )


def test_a_backup_of_a_newer_version_is_refused(config: CloudConfig, tmp_path: Path) -> None:
    back_up(config, tmp_path / "backup", NOW_MS)
    path = tmp_path / "backup" / "manifest.json"
    text = path.read_bytes()
    newer = re.sub(rb'"000\d"', b'"9999"', text)
    assert newer != text
    path.write_bytes(newer)
    before = _everything(config)
    with pytest.raises(DatabaseNotMigrated, match="9999"):
        restore(config, MemoryStore(_clock), tmp_path / "backup", NOW_MS, actor="x", force=True)
    assert _everything(config) == before
