"""The facts of the register's releases on disk: a database, and a file beside it that says the same.

Either alone is enough. The copy is written first: where the database is lost, the copy knows no less, and the
floor is the higher of both. Where both were there and neither can be read, nobody knows which releases are
below the floor: then the installed model is out, and best-sellers are shown until the cloud's order comes.
"""

import logging
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Final

from daemon.log_fields import fields
from edge_agent.adapters.durable import sync_folder, write_durably
from edge_agent.adapters.journal_database import is_damage
from edge_agent.adapters.journal_set_aside import set_aside
from edge_agent.ports import Clock
from edge_agent.updates.errors import StateError
from edge_agent.updates.facts import Facts, from_json, to_json

log = logging.getLogger(__name__)

STATE_FILE: Final = "state.db"
COPY_FILE: Final = "state-copy.json"
_MIGRATIONS: Final = (
    "CREATE TABLE state (id INTEGER PRIMARY KEY, facts BLOB NOT NULL, saved_at_ms INTEGER NOT NULL) STRICT",
)
"""Each is one transaction and is never edited afterwards; the file's user_version says how many it has had.

The facts are one value: what a newer version notes there, `facts.from_json` adds to those of an older one.
Plain statements: what journal and spool migrate with costs an agent 100 ms and 11 MB, amid an update.
"""
UNKNOWN_FLOOR: Final = 1
"""Above the installed model, which has no number, and below every release."""
_BUSY_TIMEOUT_S: Final = 1.0
_SAVE: Final = """
    INSERT INTO state (id, facts, saved_at_ms) VALUES (1, ?, ?)
    ON CONFLICT (id) DO UPDATE SET facts = excluded.facts, saved_at_ms = excluded.saved_at_ms"""


class SqliteState:
    """A `FactStore` in a folder; nothing is written before the first `save`.

    Args:
        folder: Its own.
        clock: Dates what is saved, and names what is set aside.
        connection_class: What SQLite's connections are made of; tests put faults into it.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        connection_class: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        self.folder = folder
        self._clock = clock
        self._connection_class = connection_class
        self._connection: sqlite3.Connection | None = None

    def load(self) -> Facts:
        """As `FactStore.load`."""
        kept, copied = self._kept(), self._copied()
        found = kept if isinstance(kept, Facts) else copied
        if not isinstance(found, Facts):
            if kept is None and copied is None:
                return Facts()
            log.error(
                "update.state_lost",
                extra=fields(
                    folder=str(self.folder),
                    remedy="Nothing: the cloud's order comes again, and what it wants is verified anew.",
                ),
            )
            return Facts(floor=UNKNOWN_FLOOR)
        if isinstance(kept, Facts) and isinstance(copied, Facts):
            found = replace(found, floor=max(kept.floor, copied.floor))
        return found

    def save(self, facts: Facts) -> None:
        """As `FactStore.save`."""
        data = to_json(facts)
        try:
            if not self.folder.exists():
                self.folder.mkdir(mode=0o700, parents=True)
                sync_folder(self.folder.parent)
            write_durably(self.folder / COPY_FILE, data)
            self._write(data)
        except (OSError, sqlite3.Error) as error:
            raise StateError(
                f"{self.folder}: the state of the releases cannot be kept: {error}",
                remedy="Free some space on the disk of `data_dir`; the model in use goes on.",
            ) from error

    def close(self) -> None:
        """As `FactStore.close`."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _write(self, data: bytes) -> None:
        try:
            self._write_once(data)
        except sqlite3.DatabaseError as error:
            # What cannot be written to may be damaged. The copy has everything, so a new file loses nothing.
            if isinstance(error, sqlite3.OperationalError) and not is_damage(error):
                raise
            self._set_aside(error)
            self._write_once(data)

    def _write_once(self, data: bytes) -> None:
        connection = self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(_SAVE, (data, self._clock.now_ms()))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _kept(self) -> Facts | Exception | None:
        """What the database says, why it says nothing, or None where there is none."""
        path = self.folder / STATE_FILE
        try:
            if not path.exists():
                return None
            row = self._open().execute("SELECT facts FROM state WHERE id = 1").fetchone()
            # The copy is written first: a database that holds nothing lost what it had, or never had anything
            # that the copy has not.
            return LookupError("it holds nothing") if row is None else from_json(bytes(row[0]))
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            if not isinstance(error, sqlite3.OperationalError) or is_damage(error):
                self._set_aside(error)
            return error
        except OSError as error:
            return error

    def _copied(self) -> Facts | Exception | None:
        try:
            return from_json((self.folder / COPY_FILE).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("update.copy_unreadable", extra=fields(error=str(error)))
            return error

    def _set_aside(self, error: Exception) -> None:
        self.close()
        path = self.folder / STATE_FILE
        log.error("update.state_damaged", extra=fields(file=str(path), error=str(error)))
        try:
            set_aside(path, self._clock.now_ms())
        except OSError as refused:
            log.warning("update.not_set_aside", extra=fields(error=str(refused)))

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        connection = sqlite3.connect(
            self.folder / STATE_FILE,
            timeout=_BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
            factory=self._connection_class,
        )
        try:
            # No log beside it: it is written a few times per release, and one file is easier to keep whole.
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA synchronous = FULL")
            _bring_up_to_date(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, statement in enumerate(_MIGRATIONS[version:], version + 1):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
