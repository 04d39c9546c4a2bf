"""Make destroyed keys vanish from the files of their database, not only from its answers.

SQLite: the row was overwritten where it stood; its older copies are in the write-ahead log, which a
checkpoint empties. PostgreSQL: an update leaves the old row in the heap, and a plain VACUUM leaves half of
them in the gaps of pages (measured), so the table is written anew. What remains in pg_wal is ciphertext
under the day key and the master key, until the server recycles those segments: see docs/privacy.md.
"""

import contextlib
import sqlite3
from typing import Final

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from cloud.database.engine import Database, translated
from cloud.privacy.errors import KeysNotScrubbed

_BUSY_TIMEOUT_S: Final = 5
_REMEDY: Final = "It is tried again by itself; look for a process that holds the database of keys open."


def scrub(database: Database) -> None:
    """Empty the write-ahead log (SQLite), or write the table anew (PostgreSQL: the role owns it).

    Raises:
        KeysNotScrubbed: A reader held on to older copies all the while.
        DatabaseAway: Not reachable, or locked too long.
    """
    if database.file is not None:
        _empty_log(str(database.file))
        return
    engine = create_engine(database.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with translated(), engine.connect() as connection:
        # Waits for those who are opening a frame, and is as slow as the table is long.
        connection.exec_driver_sql("SET lock_timeout = '15s'")
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql('VACUUM (FULL) "consent_keys"')


def _empty_log(file: str) -> None:
    try:
        connection = sqlite3.connect(file, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
        with contextlib.closing(connection):
            # Waits for readers and writers so long as the connection's timeout says.
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError as error:
        raise KeysNotScrubbed(
            f"the write-ahead log of keys cannot be emptied: {error}", remedy=_REMEDY
        ) from error
    if not busy:
        return
    raise KeysNotScrubbed(
        "a reader keeps old copies of destroyed keys in the write-ahead log", remedy=_REMEDY
    )
