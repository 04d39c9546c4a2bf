"""Everything that SQLite does to its files, in order, so that a test can cut the power anywhere in it.

The recorder is a VFS of apsw; the connection speaks as much of `sqlite3.Connection` as the spool uses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import apsw

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from random import Random

_NAME = "write-log"
_SECTOR_BYTES = 512
"""What a disk writes whole or not at all."""


@dataclass(frozen=True)
class Step:
    """One thing done to one file: bytes written at an offset, a new length, or a sync."""

    file: str
    offset: int = 0
    written: bytes | None = None
    length: int | None = None

    @property
    def is_sync(self) -> bool:
        """Whether everything before it is safe now."""
        return self.written is None and self.length is None


@dataclass
class WriteLog:
    """What was done since the files had the content `base`."""

    base: dict[str, bytes] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def files_at(self, point: int, random: Random) -> dict[str, bytes]:
        """What a disk may hold when the power goes after so many steps.

        What was synced is there. Of what was not, each step is there, is missing, or (a write) is there up to
        some sector: disks reorder.
        """
        files = {name: bytearray(content) for name, content in self.base.items()}
        for name in {step.file for step in self.steps[:point]}:
            of_file = [step for step in self.steps[:point] if step.file == name]
            safe = max((number for number, step in enumerate(of_file, 1) if step.is_sync), default=0)
            content = files.setdefault(name, bytearray())
            for step in of_file[:safe]:
                _do(content, step)
            for step in of_file[safe:]:
                _do(content, _after_the_cut(step, random))
        return {name: bytes(content) for name, content in files.items()}


def _after_the_cut(step: Step, random: Random) -> Step:
    fate = random.choice(("there", "missing", "torn"))
    if fate == "there" or step.is_sync:
        return step
    if fate == "torn" and step.written is not None:
        sectors = -(-len(step.written) // _SECTOR_BYTES)
        return Step(step.file, step.offset, step.written[: random.randrange(sectors + 1) * _SECTOR_BYTES])
    return Step(step.file)


def _do(content: bytearray, step: Step) -> None:
    if step.written:
        end = step.offset + len(step.written)
        content.extend(bytes(max(0, end - len(content))))
        content[step.offset : end] = step.written
    elif step.length is not None:
        content.extend(bytes(max(0, step.length - len(content))))
        del content[step.length :]


class Recorder:
    """Makes connections whose writes are logged; use it as `connection_class`.

    Args:
        folder: Its files are the base of the log.
        checkpoint_pages: Instead of the spool's own figure, so that a short run has checkpoints.
        synchronous: Instead of the spool's own setting.
    """

    def __init__(self, folder: Path, checkpoint_pages: int, synchronous: str = "FULL") -> None:
        self.log = WriteLog({path.name: path.read_bytes() for path in folder.iterdir()})
        self._settings = {
            "PRAGMA wal_autocheckpoint": f"PRAGMA wal_autocheckpoint = {checkpoint_pages}",
            "PRAGMA synchronous": f"PRAGMA synchronous = {synchronous}",
        }
        self._vfs = _Vfs(self.log)

    def __call__(self, path: Path, **_: object) -> LoggedConnection:
        connection = apsw.Connection(str(path), vfs=_NAME)
        return LoggedConnection(connection, self._settings)

    def close(self) -> None:
        """Stop recording."""
        self._vfs.unregister()


class LoggedConnection:
    """As much of `sqlite3.Connection` as the spool's statements use."""

    def __init__(self, connection: apsw.Connection, settings: dict[str, str]) -> None:
        self._connection = connection
        self._settings = settings

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, parameters: Any = ()) -> LoggedCursor:
        sql = self._settings.get(sql.partition(" =")[0], sql)
        rows = self._connection.execute(sql, parameters).fetchall()
        return LoggedCursor(rows, self._connection.changes())

    def executemany(self, sql: str, parameters: Iterable[Any]) -> LoggedCursor:
        before = self._connection.total_changes()
        self._connection.executemany(sql, parameters).fetchall()
        return LoggedCursor([], self._connection.total_changes() - before)

    def close(self) -> None:
        self._connection.close()


@dataclass
class LoggedCursor:
    """Rows that were read already."""

    rows: list[tuple[Any, ...]]
    rowcount: int

    def fetchone(self) -> tuple[Any, ...] | None:
        return self.rows.pop(0) if self.rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.rows

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)


class _Vfs(apsw.VFS):
    def __init__(self, log: WriteLog) -> None:
        self._log = log
        super().__init__(_NAME, "")

    def xOpen(self, name: Any, flags: list[int]) -> _File:  # noqa: N802 - SQLite's name
        return _File(self._log, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: FBT001, N802 - SQLite's own
        self._log.steps.append(Step(_base_name(filename), length=0))
        super().xDelete(filename, syncdir)


class _File(apsw.VFSFile):
    def __init__(self, log: WriteLog, name: Any, flags: list[int]) -> None:
        self._log = log
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name = _base_name(path or "")
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._log.steps.append(Step(self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._log.steps.append(Step(self._name, length=newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._log.steps.append(Step(self._name))
        super().xSync(flags)


def _base_name(path: str) -> str:
    return path.rpartition("/")[2]
