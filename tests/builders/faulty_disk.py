"""SQLite connections over a disk that fails when a test says so."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

FULL = (sqlite3.SQLITE_FULL, "database or disk is full")
BROKEN = (sqlite3.SQLITE_IOERR | 4 << 8, "disk I/O error")
"""SQLITE_IOERR_FSYNC: what a failed fsync looks like."""


def faulty_connection() -> type[FaultyConnection]:
    """A class of its own for each test, with its own switch."""

    class Connection(FaultyConnection):
        fault = None
        at = "COMMIT"
        failures = 0

    return Connection


class FaultyConnection(sqlite3.Connection):
    """Raises `fault` instead of running a statement that begins with `at`."""

    fault: ClassVar[tuple[int, str] | None]
    at: ClassVar[str]
    failures: ClassVar[int]

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        self._fail(sql)
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        self._fail(sql)
        return super().executemany(sql, parameters)

    def _fail(self, sql: str) -> None:
        cls = type(self)
        if cls.fault is not None and sql.strip().startswith(cls.at):
            code, message = cls.fault
            cls.failures += 1
            error = sqlite3.OperationalError(message)
            error.sqlite_errorcode = code
            raise error
