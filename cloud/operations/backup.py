"""An online copy of database and state folder; services go on meanwhile.

The rows are those of one instant. The state folder is copied after them: keys are on the disk before the rows
that name them. Consent keys are never in it, for a backup that held them could undo an erasure.
"""

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Table, select

from cloud.config import CloudConfig
from cloud.database.engine import Database, open_database
from cloud.database.migrate import revision_of
from cloud.errors import BackupError
from cloud.operations.manifest import NAME, Manifest
from cloud.operations.table_file import header, row_line
from cloud.state_folder import OWNER_ONLY

_ROWS_AT_ONCE: Final = 1000
_SQLITE_FILES: Final = ("", "-wal", "-shm", "-journal")
_NOT_STATE: Final = tuple(f".sqlite3{end}" for end in _SQLITE_FILES)
MASTER_KEY: Final = "master.key"
"""The master key's name within a backup that holds it."""


def back_up(
    config: CloudConfig,
    target: Path,
    now_ms: int,
    *,
    with_master_key: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Copy everything but consent keys to a new folder.

    Args:
        config: Of the cloud.
        target: Made by this; it appears when all of it is on the disk.
        now_ms: Now.
        with_master_key: Also copy the master key, if it is a file.
        progress: Told the name of each table and folder before it is copied.

    Raises:
        BackupError: The target is there already, or cannot be written.
        DatabaseAway: The database does not answer.
        DatabaseNotMigrated: The database belongs to another version.
    """
    if target.exists():
        raise BackupError(f"{target} is there already", remedy="Name a folder that is not there yet.")
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        try:
            draft.mkdir(mode=OWNER_ONLY, parents=True)
            with open_database(config.database_url) as database:
                database.check()
                revision, rows, files = _copy_rows(database, draft, progress)
            progress("state folder")
            files |= _copy_state(config, draft, with_master_key)
            manifest = Manifest(now_ms, revision, rows, files, f"state/{MASTER_KEY}" in files)
            _write(draft / NAME, manifest.to_bytes())
            _sync_folders(draft)
            draft.rename(target)
            _sync_folder(target.parent)
        except OSError as error:
            raise BackupError(
                f"{target} cannot be written: {error.strerror}", remedy="Nothing was kept of it."
            ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


def _copy_rows(
    database: Database, draft: Path, progress: Callable[[str], None]
) -> tuple[str, dict[str, int], dict[str, str]]:
    """Revision, number of rows by table, digests by file: all of one instant."""
    rows, files = {}, {}
    with database.system(read_only=True) as connection:
        revision = revision_of(connection)
        assert revision is not None  # it passed the check
        tenants = database.list_tenants(connection)
        (draft / "tables").mkdir(mode=OWNER_ONLY)
        for table in database.schema.metadata.sorted_tables:
            progress(table.name)
            name = f"tables/{table.name}.jsonl"
            rows[table.name], files[name] = _copy_table(
                draft / name, table, _rows(database, connection, table, tenants)
            )
    return revision, rows, files


def _rows(
    database: Database, connection: Connection, table: Table, tenants: list[str]
) -> Iterator[list[object]]:
    for tenant in tenants:
        database.enter(connection, tenant)
        statement = select(table).where(table.c.tenant == tenant).order_by(*table.primary_key.columns)
        with connection.execute(statement, execution_options={"yield_per": _ROWS_AT_ONCE}) as found:
            for row in found:
                yield list(row)


def _copy_table(path: Path, table: Table, rows: Iterator[list[object]]) -> tuple[int, str]:
    count, made = 0, hashlib.sha256()
    with _new_file(path) as put:
        for line in _lines(table, rows):
            put(line)
            made.update(line)
            count += 1
    return count - 1, made.hexdigest()


def _lines(table: Table, rows: Iterator[list[object]]) -> Iterator[bytes]:
    yield header(table)
    for row in rows:
        yield row_line(table, row)


def _copy_state(config: CloudConfig, draft: Path, with_master_key: bool) -> dict[str, str]:  # noqa: FBT001
    master = (config.master_key.file or config.state_dir / MASTER_KEY).resolve()
    databases = [open_database(url).file for url in (config.database_url, config.keys_url)]
    apart = {master} | {Path(f"{file.resolve()}{end}") for file in databases if file for end in _SQLITE_FILES}
    chosen = {
        path.relative_to(config.state_dir).as_posix(): path
        for path in sorted(config.state_dir.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.resolve() not in apart
        # Drafts that a crash left, and a database of keys that the configuration no longer names.
        if not path.name.startswith(".") and not path.name.endswith(_NOT_STATE)
    }
    if with_master_key and config.master_key.kind == "file":
        chosen[MASTER_KEY] = master
    files = {}
    for name, path in chosen.items():
        copy = draft / "state" / name
        for folder in (*reversed(copy.relative_to(draft).parents[:-1]),):
            (draft / folder).mkdir(mode=OWNER_ONLY, exist_ok=True)  # `parents=True` would open them to others
        data = path.read_bytes()
        _write(copy, data)
        files[f"state/{name}"] = hashlib.sha256(data).hexdigest()
    return files


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[Callable[[bytes], int]]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file.write
        file.flush()
        os.fsync(file.fileno())


def _write(path: Path, data: bytes) -> None:
    with _new_file(path) as put:
        put(data)


def _sync_folders(folder: Path) -> None:
    for path in (*(inner for inner in folder.rglob("*") if inner.is_dir()), folder):
        _sync_folder(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
