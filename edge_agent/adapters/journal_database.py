"""One SQLite file with the journal's statements; one thread uses it. Every failure is a `sqlite3.Error`."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import UUID

import orjson

from edge_agent.errors import ConflictError
from edge_agent.impression import Displayed, Impression, Outcome, StoredOutcome
from edge_agent.memory_journal import key_conflict
from edge_agent.outcomes import content_digest

SCHEMA_VERSION = 1
"""How many migrations `journal_schema` has; kept in the file as its user_version."""
_BUSY_TIMEOUT_S = 1.0
"""Somebody who looks into the file with another program may hold the agent up for so long."""
_WAL_LIMIT_BYTES = 4 << 20

_DAMAGED = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
"""Primary codes of a file that is no journal any more; SQLITE_ERROR is a table that has gone."""

_ADD_IMPRESSION = """
    INSERT INTO impression (interaction_id, shown_at_ms, arm, source, reason, slate, propensity, model_digest,
        model_version, menu_version, in_stock, context, nobody, scores, frame_age_ms, inference_ms, total_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_ADD_DISPLAYED = "INSERT INTO displayed (interaction_id, at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING"
_FIND_OUTCOME = "SELECT outcome_id, stored_at_ms, content_sha256 FROM outcome WHERE idempotency_key = ?"
_ADD_OUTCOME = """
    INSERT INTO outcome (outcome_id, idempotency_key, interaction_id, receipt_hmac, lines, at_ms,
        since_shown_ms, stored_at_ms, content_sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_ADOPT_OUTCOME = """
    INSERT INTO outcome (outcome_id, idempotency_key, interaction_id, receipt_hmac, lines, at_ms,
        since_shown_ms, stored_at_ms, content_sha256, rowid) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_SAVE_SETTING = """
    INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
_COUNT = """
    INSERT INTO counter (name, value) VALUES (?, ?)
    ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"""
_NEWEST = "SELECT interaction_id FROM impression ORDER BY shown_at_ms DESC LIMIT ?"
_FIRST_MS = 1_767_225_600_000
"""2026 began. An earlier time was told by a clock that had lost its battery, and says nothing of an age: such
records stay, or a day's sales would vanish when the network sets the clock right."""
_DELETE_OLD = {
    "impression": "DELETE FROM impression WHERE shown_at_ms BETWEEN ? AND ?",
    "displayed": "DELETE FROM displayed WHERE at_ms BETWEEN ? AND ?",
    "outcome": "DELETE FROM outcome WHERE stored_at_ms BETWEEN ? AND ?",
}
_THIN_OUT = """
    DELETE FROM impression WHERE interaction_id IN
        (SELECT interaction_id FROM impression ORDER BY shown_at_ms
         LIMIT 1 + (SELECT count(*) FROM impression) / ?)"""


@dataclass(frozen=True, slots=True)
class NewOutcome:
    """An outcome with the id and the time that it gets if its key is new."""

    outcome: Outcome
    outcome_id: UUID
    stored_at_ms: int


@dataclass(frozen=True, slots=True)
class Setting:
    """A small setting to keep."""

    name: str
    value: str


Record = Impression | Displayed | NewOutcome | Setting
Answer = StoredOutcome | ConflictError | None
"""What the writer of a record is told; only outcomes have something to be told."""


class JournalDatabase:
    """An open journal file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path, connection_class: type[sqlite3.Connection]) -> Self:
        """Open or make the file, with all its tables.

        Raises:
            sqlite3.Error: It cannot be opened, or is damaged (see `is_damage`).
        """
        connection = sqlite3.connect(
            path,
            timeout=_BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
            factory=connection_class,
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            # FULL syncs the log at every commit; NORMAL lost acknowledged rows when measured.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
            _bring_up_to_date(connection)
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    def check(self) -> None:
        """Read every page.

        Raises:
            sqlite3.DatabaseError: Something in it is damaged.
        """
        (answer,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        if answer != "ok":
            error = sqlite3.DatabaseError(answer)
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error

    def write(
        self, records: Iterable[Record], counted: Mapping[str, int]
    ) -> tuple[list[Answer], Counter[str]]:
        """Store all of this durably, or nothing.

        Args:
            records: In the order of their arrival.
            counted: What is to be added to the counters beside the records.

        Returns:
            An answer per record, and everything that was added to the counters.

        Raises:
            sqlite3.Error: Nothing of it can be relied upon to be stored; repeating is safe.
        """
        added = Counter(counted)
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            answers = [self._add(record, added) for record in records]
            self._connection.executemany(_COUNT, added.items())
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return answers, added

    def _add(self, record: Record, added: Counter[str]) -> Answer:
        match record:
            case Impression():
                added["impressions"] += self._connection.execute(_ADD_IMPRESSION, _row(record)).rowcount
            case Displayed():
                self._connection.execute(_ADD_DISPLAYED, (str(record.interaction_id), record.at_ms))
            case Setting():
                self._connection.execute(_SAVE_SETTING, (record.name, record.value))
            case NewOutcome():
                return self._add_outcome(record, added)
        return None

    def _add_outcome(self, new: NewOutcome, added: Counter[str]) -> StoredOutcome | ConflictError:
        outcome, digest = new.outcome, content_digest(new.outcome)
        before = self._connection.execute(_FIND_OUTCOME, (outcome.idempotency_key,)).fetchone()
        if before is not None:
            outcome_id, stored_at_ms, first_digest = before
            if first_digest != digest:
                return key_conflict(outcome.idempotency_key)
            return StoredOutcome(UUID(outcome_id), stored_at_ms, repeated=True)
        row = (
            str(new.outcome_id),
            outcome.idempotency_key,
            None if outcome.interaction_id is None else str(outcome.interaction_id),
            outcome.receipt_hmac,
            orjson.dumps(outcome.lines).decode(),
            outcome.at_ms,
            outcome.since_shown_ms,
            new.stored_at_ms,
            digest,
        )
        self._connection.execute(_ADD_OUTCOME, row)
        added["sales" if outcome.interaction_id is None else "outcomes"] += 1
        return StoredOutcome(new.outcome_id, new.stored_at_ms, repeated=False)

    def adopt(self, outcomes: Iterable[tuple[object, ...]]) -> None:
        """Take over outcomes of another journal, column for column; without those that do not fit.

        Each keeps its row's number, the last column: the uplink remembers how far it has read by it.
        """
        self._connection.execute("BEGIN IMMEDIATE")
        for row in outcomes:
            try:
                self._connection.execute(_ADOPT_OUTCOME, row)
            except sqlite3.IntegrityError:
                # Damaged twice in one run: the place is taken, or the very sale is there.
                with suppress(sqlite3.IntegrityError):
                    self._connection.execute(_ADD_OUTCOME, row[:-1])
        self._connection.execute("COMMIT")

    def settings(self) -> dict[str, str]:
        """Everything that was kept."""
        return dict(self._connection.execute("SELECT name, value FROM setting"))

    def newest_ids(self, count: int) -> list[UUID]:
        """Ids of the newest slates, oldest first; without those that a damaged disk made unreadable."""
        ids = []
        for (interaction_id,) in reversed(self._connection.execute(_NEWEST, (count,)).fetchall()):
            with suppress(ValueError):
                ids.append(UUID(interaction_id))
        return ids

    def counters(self) -> Counter[str]:
        """What was counted since the journal began."""
        return Counter(dict(self._connection.execute("SELECT name, value FROM counter")))

    def delete_older(self, than_ms: int) -> int:
        """Delete what is older than this and has a believable time; returns how many records went."""
        bounds = (_FIRST_MS, than_ms - 1)
        return sum(self._connection.execute(delete, bounds).rowcount for delete in _DELETE_OLD.values())

    def thin_out(self, one_in: int) -> int:
        """Delete one in so many of the slates, the oldest; returns how many went."""
        return self._connection.execute(_THIN_OUT, (one_in,)).rowcount

    def used_bytes(self) -> int:
        """Size of what is stored; the file itself never shrinks, its free pages are used again."""
        (size,) = self._connection.execute(
            "SELECT (page_count - freelist_count) * page_size"
            " FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
        ).fetchone()
        return int(size)

    def close(self) -> None:
        """Close the file; what was committed is safe already."""
        self._connection.close()


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version < SCHEMA_VERSION:
        # Imported only now: sqlite-utils costs a start 100 ms and 11 MB, and most starts need no migration.
        from edge_agent.adapters.journal_schema import migrate

        migrate(connection)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken, rather than the disk full, away or busy."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF in _DAMAGED


def _row(impression: Impression) -> tuple[object, ...]:
    return (
        str(impression.interaction_id),
        impression.shown_at_ms,
        impression.arm.value,
        impression.source.value,
        None if impression.reason is None else impression.reason.value,
        orjson.dumps(impression.slate).decode(),
        impression.propensity,
        impression.model_digest,
        impression.model_version,
        impression.menu_version,
        orjson.dumps(impression.in_stock).decode(),
        orjson.dumps(dict(impression.context)).decode(),
        impression.nobody,
        None if impression.scores is None else orjson.dumps(impression.scores).decode(),
        impression.frame_age_ms,
        impression.inference_ms,
        impression.total_ms,
    )
