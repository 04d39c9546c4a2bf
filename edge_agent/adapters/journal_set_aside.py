"""What happens to a damaged journal: its bytes stay under another name, its readable sales move on."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from edge_agent.adapters.durable import sync_folder

KEPT_FILES = 3
"""Damaged files that are kept for whoever wants to look; older ones make room."""

_OUTCOMES = (
    "SELECT outcome_id, idempotency_key, interaction_id, receipt_hmac, lines, at_ms, since_shown_ms,"
    " stored_at_ms, content_sha256, rowid FROM outcome ORDER BY rowid "
)


@dataclass(frozen=True, slots=True)
class Salvage:
    """Rows that could still be read."""

    outcomes: list[tuple[object, ...]] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)


def set_aside(path: Path, now_ms: int) -> Path:
    """Rename a closed database and its log; returns the new name.

    Raises:
        OSError: The folder cannot be changed.
    """
    stamp = datetime.fromtimestamp(now_ms / 1000, tz=UTC).strftime("%Y%m%dT%H%M%S%fZ")
    target = path.with_name(f"{path.name}.damaged-{stamp}")
    for number in count(2):
        if not target.exists():
            break
        target = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    path.replace(target)
    with suppress(FileNotFoundError):
        _beside(path, "-wal").replace(_beside(target, "-wal"))
    _beside(path, "-shm").unlink(missing_ok=True)
    for old in damaged_files(path)[:-KEPT_FILES]:
        old.unlink()
        _beside(old, "-wal").unlink(missing_ok=True)
        _beside(old, "-shm").unlink(missing_ok=True)
    sync_folder(path.parent)
    return target


def damaged_files(path: Path) -> list[Path]:
    """What was set aside of this journal, oldest first; without the logs beside them."""
    found = path.parent.glob(f"{path.name}.damaged-*")
    return sorted(one for one in found if not one.name.endswith(("-wal", "-shm")))


def salvage(damaged: Path) -> Salvage:
    """Read what can be read; sales from both ends, so that one bad page costs only its own."""
    found = Salvage()
    with closing(sqlite3.connect(damaged, isolation_level=None)) as connection:
        rows: dict[object, tuple[object, ...]] = {}
        for direction in ("ASC", "DESC"):
            rows.update((row[0], row) for row in _readable(connection, _OUTCOMES + direction))
        found.outcomes.extend(rows.values())
        found.settings.update(
            (name, value)
            for name, value in _readable(connection, "SELECT name, value FROM setting")
            if isinstance(name, str) and isinstance(value, str)
        )
        found.counters.update(
            (name, value)
            for name, value in _readable(connection, "SELECT name, value FROM counter")
            if isinstance(name, str) and isinstance(value, int)
        )
    return found


def _readable(connection: sqlite3.Connection, query: str) -> Iterator[tuple[object, ...]]:
    """Rows up to the first that cannot be read."""
    with suppress(sqlite3.Error):
        yield from connection.execute(query)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
