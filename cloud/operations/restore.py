"""Putting a backup back, with later erasures and frames: all of it in one transaction, or nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, MetaData, Table, inspect

from cloud.config import CloudConfig
from cloud.database import migrate
from cloud.database.audit_log import write_audit
from cloud.database.engine import Database, open_database
from cloud.database.role import grant_role
from cloud.enrolment.files import write_file
from cloud.errors import BackupError, TargetNotEmpty
from cloud.objects.ports import ObjectStore
from cloud.operations.after_restore import set_right
from cloud.operations.backup import MASTER_KEY
from cloud.operations.erasure_replay import apply_log, read_log
from cloud.operations.manifest import Manifest, read_manifest, verify
from cloud.operations.person_replay import apply_people, end_ownerless, forget_ways_in, read_people
from cloud.operations.reclaim import Reclaimed, reclaim, stored_since
from cloud.operations.table_file import rows_of
from cloud.state_folder import prepare_folder
from daemon.errors import ConfigError

_ROWS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    manifest: Manifest
    erasures_due: int
    """Consents that ended after the backup; the keeper erases them when it starts."""
    reclaimed: Reclaimed
    """Frames that were stored after the backup."""
    people_erased: int = 0
    """Erasures that people of the public API asked for after the backup, done again."""


def restore(
    config: CloudConfig,
    objects: ObjectStore,
    source: Path,
    now_ms: int,
    *,
    actor: str,
    force: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Restored:
    """Put a backup back; services stand still meanwhile.

    Args:
        config: Of the cloud; on PostgreSQL with the owner's address.
        objects: The bucket: its erasure log, and frames that were stored after the backup.
        source: Folder of the backup.
        now_ms: Now.
        actor: Who does it, for the audit.
        force: Throw away what is there.
        progress: Told each step before it is done.

    Raises:
        BackupError: The backup is incomplete or altered, or the erasure log cannot be read.
        TargetNotEmpty: Database or state folder hold something, and `force` was not said.
        DatabaseAway: The database does not answer; nothing was kept.
        ObjectsAway: The erasure log does not answer; nothing was kept.
    """
    progress("looking at the backup")
    manifest = read_manifest(source)
    verify(source, manifest)
    progress("reading the erasure log")
    entries, people = list(read_log(objects)), list(read_people(objects))
    progress("looking for frames stored since then")
    later = list(stored_since(objects, manifest.made_at_ms))
    with _owner(config) as database:
        database.prepare_file()
        with database.system() as connection:
            _make_room(connection, config, manifest, force=force)
            progress("state folder")
            _restore_state(config, source, manifest)
            migrate.upgrade(connection, database.schema, manifest.revision)
            for table in _tables(connection):
                progress(table.name)
                _restore_table(database, connection, table, source)
            migrate.upgrade(connection, database.schema)
            progress("erasures since then")
            due = apply_log(database, connection, entries, again=False)
            erased = apply_people(database, connection, people, manifest.made_at_ms)
            progress("frames since then")
            reclaimed = reclaim(database, connection, objects, later)
            for tenant in database.list_tenants(connection):
                database.enter(connection, tenant)
                frozen = set_right(connection, tenant, now_ms, actor=actor)
                forget_ways_in(connection, tenant, now_ms)
                ownerless = end_ownerless(connection, tenant, now_ms)
                detail = {
                    "backup_made_at_ms": manifest.made_at_ms,
                    "erasures_due": due.get(tenant, 0),
                    "rollouts_frozen": frozen,
                    "pictures_without_owner_ended": ownerless,
                }
                write_audit(
                    connection,
                    tenant,
                    now_ms,
                    actor=actor,
                    action="database.restored",
                    subject=tenant,
                    detail=detail,
                )
            if not database.is_sqlite:
                grant_role(connection, database.schema, open_database(config.database_url).url)
        if database.is_sqlite:
            database.scrub()  # what was thrown away
    with open_database(config.database_url) as service:
        service.check()
    return Restored(manifest, sum(due.values()), reclaimed, erased)


def repeat_erasures(config: CloudConfig, objects: ObjectStore) -> int:
    """Have the keeper erase everything that was ever erased once more; how many consents that are.

    For when an older copy of the consent keys was put back: their database is in no backup of ours.
    """
    entries = list(read_log(objects))
    with open_database(config.database_url) as database:
        database.check()
        with database.system() as connection:
            return sum(apply_log(database, connection, entries, again=True).values())


def _owner(config: CloudConfig) -> Database:
    service = open_database(config.database_url)
    if service.is_sqlite:
        return service
    if config.database_owner_url is None:
        raise ConfigError(
            "a restore makes the tables anew, which only their owner may",
            remedy="Set database_owner_url, or name it with --owner-url.",
        )
    return open_database(config.database_owner_url)


def _make_room(connection: Connection, config: CloudConfig, manifest: Manifest, *, force: bool) -> None:
    tables = inspect(connection).get_table_names()
    if force or not _holds_rows(connection, tables):
        existing = MetaData()
        existing.reflect(connection)
        existing.drop_all(connection)
    else:
        raise TargetNotEmpty(
            "the database holds chains already",
            remedy="Stop every service, and say --force to throw it away.",
        )
    for name in _state_files(manifest):
        if (config.state_dir / name).exists() and not force:
            raise TargetNotEmpty(
                f"{config.state_dir / name} is there already", remedy="Say --force to overwrite it."
            )


def _holds_rows(connection: Connection, tables: list[str]) -> bool:
    """On PostgreSQL the owner is bound by row-level security too, so it asks as who lists the chains."""
    return "tenants" in tables and bool(Database.list_tenants(connection))


def _state_files(manifest: Manifest) -> Iterator[str]:
    return (name.removeprefix("state/") for name in manifest.files if name.startswith("state/"))


def _restore_state(config: CloudConfig, source: Path, manifest: Manifest) -> None:
    prepare_folder(config.state_dir)
    for name in _state_files(manifest):
        target = config.state_dir / name
        if name == MASTER_KEY and config.master_key.file is not None:
            target = config.master_key.file
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_file(target, (source / "state" / name).read_bytes())


def _tables(connection: Connection) -> list[Table]:
    """The tables of the backup's revision, as the migrations made them."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if "tenant" in table.c]


def _restore_table(database: Database, connection: Connection, table: Table, source: Path) -> None:
    path = source / "tables" / f"{table.name}.jsonl"
    with path.open("rb") as lines:
        try:
            rows = rows_of(table, lines)
            while batch := list(islice(rows, _ROWS_AT_ONCE)):
                for tenant in dict.fromkeys(row["tenant"] for row in batch):
                    database.enter(connection, tenant)
                    mine: list[dict[str, Any]] = [row for row in batch if row["tenant"] == tenant]
                    connection.execute(table.insert(), mine)
        except ValueError as error:
            raise BackupError(f"{path} cannot be read: {error}") from error
