"""One SQLite file with the spool's statements; one thread at a time. Every failure is a `sqlite3.Error`."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.ports import SpooledBlank
from edge_agent.uplink.spool_rules import FIRST_MS, thinning_rank
from edge_agent.uplink.spooled import Entry, Outgoing
from wire_protocol.topics import Up

SCHEMA_VERSION = 1
"""How many migrations `spool_schema` has; kept in the file as its user_version."""
_PAGE_BYTES = 16 << 10
"""A frame takes three pages instead of nine; cut the p99 of storing one by three when measured."""
_CHECKPOINT_PAGES = 512
"""8 MiB: where nobody called `move_log` for so long; less than `disk_reserve.RESERVE_BYTES`."""
_WAL_LIMIT_BYTES = 2 * _CHECKPOINT_PAGES * _PAGE_BYTES
_BUSY_TIMEOUT_S = 1.0
"""Somebody who looks into the file with another program may hold the agent up for so long."""
_CHECKED_TABLES = ("message", "ended_consent", "blank", "setting", "counter")
"""Bodies are not among them: each is checked by its SHA-256 when it is loaded."""

_ADD_MESSAGE = """
    INSERT INTO message (position, message_id, kind, lane, at_ms, size, sha256, consent, rank)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message_id) DO NOTHING"""
_ADD_BODY = "INSERT INTO body (position, message) VALUES (?, ?)"
_ROWS = "SELECT position, lane, size FROM message WHERE "
_CANDIDATES = """
    SELECT position, message_id, kind, size, sha256, consent FROM message
    WHERE lane = ? AND position > ? AND aside IS NULL ORDER BY position LIMIT ?"""
_BODY = """
    SELECT body.message, message.sha256 FROM message LEFT JOIN body USING (position) WHERE message_id = ?"""
_LANES = "SELECT lane, count(*), sum(size), min(at_ms) FROM message GROUP BY lane"
_SET_ASIDE = "UPDATE message SET aside = ? WHERE message_id = ?"
_RELEASE = "UPDATE message SET aside = NULL WHERE aside IS NOT NULL AND size <= coalesce(?, size)"
_COUNT = """
    INSERT INTO counter (name, value) VALUES (?, ?)
    ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"""
_SAVE_SETTING = """
    INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
_END_CONSENT = "INSERT INTO ended_consent (consent, ended_at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING"
_ADD_BLANK = """
    INSERT INTO blank (blank, signed, usable_until_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"""
# Choosing and using are one statement, so nobody else can get the same one.
_TAKE_BLANK = """
    UPDATE blank SET used_at_ms = ? WHERE used_at_ms IS NULL AND blank =
        (SELECT blank FROM blank WHERE used_at_ms IS NULL AND usable_until_ms >= ?
         ORDER BY usable_until_ms, blank LIMIT 1)
    RETURNING blank, signed, usable_until_ms"""
_FORGET_BLANKS = "DELETE FROM blank WHERE usable_until_ms < ?"
_FORGET_CONSENTS = "DELETE FROM ended_consent WHERE ended_at_ms BETWEEN ? AND ?"


@dataclass(frozen=True, slots=True)
class Row:
    """Where a message lies and what it takes."""

    position: int
    lane: Lane
    size: int


class SpoolFile:
    """An open spool file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path, connection_class: type[sqlite3.Connection]) -> Self:
        """Open or make the file, with all its tables.

        Raises:
            sqlite3.Error: It cannot be opened, or is damaged.
        """
        connection = sqlite3.connect(
            path,
            timeout=_BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
            factory=connection_class,
        )
        try:
            connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
            connection.execute("PRAGMA journal_mode = WAL")
            # FULL syncs the log at every commit; NORMAL lost acknowledged rows when measured.
            connection.execute("PRAGMA synchronous = FULL")
            # What is deleted is overwritten: an erased picture leaves no bytes in free pages.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
            _bring_up_to_date(connection)
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    def check(self) -> None:
        """Read every page but those of the bodies.

        Raises:
            sqlite3.DatabaseError: Something is damaged.
        """
        for table in _CHECKED_TABLES:
            (answer,) = self._connection.execute(f"PRAGMA quick_check({table})").fetchone()
            if answer != "ok":
                error = sqlite3.DatabaseError(answer)
                error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
                raise error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is done inside, durable at its end."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def add(self, position: int, outgoing: Outgoing, arrival: int | None) -> bool:
        """Spool a message; whether it is new. `arrival` numbers the frames."""
        row = (
            position,
            outgoing.message_id,
            outgoing.kind.value,
            int(outgoing.lane),
            outgoing.at_ms,
            len(outgoing.message),
            outgoing.sha256,
            outgoing.consent,
            None if arrival is None else thinning_rank(arrival),
        )
        if self._connection.execute(_ADD_MESSAGE, row).rowcount == 0:
            return False
        self._connection.execute(_ADD_BODY, (position, outgoing.message))
        return True

    def remove(self, rows: Iterable[Row]) -> None:
        """Delete messages with their bytes."""
        positions = [(row.position,) for row in rows]
        self._connection.executemany("DELETE FROM body WHERE position = ?", positions)
        self._connection.executemany("DELETE FROM message WHERE position = ?", positions)

    def of_id(self, message_id: bytes) -> list[Row]:
        """The message of an id, if it is spooled."""
        return self._rows("message_id = ?", message_id)

    def of_consent(self, consent: bytes) -> list[Row]:
        """Every frame that is sealed to a consent."""
        return self._rows("consent = ?", consent)

    def first_to_go(self, count: int) -> list[Row]:
        """The frames that give way first when there is no room."""
        return self._rows("rank IS NOT NULL ORDER BY rank DESC LIMIT ?", count)

    def captured_before(self, before_ms: int, count: int) -> list[Row]:
        """So many of the frames with a believable time before this."""
        return self._rows(
            "lane = ? AND at_ms >= ? AND at_ms < ? LIMIT ?", int(Lane.FRAMES), FIRST_MS, before_ms, count
        )

    def of_lane(self, lane: Lane, count: int, *, only_set_aside: bool) -> list[Row]:
        """So many of a lane."""
        condition = "lane = ? AND aside IS NOT NULL LIMIT ?" if only_set_aside else "lane = ? LIMIT ?"
        return self._rows(condition, int(lane), count)

    def _rows(self, condition: str, *parameters: int | bytes) -> list[Row]:
        found = self._connection.execute(_ROWS + condition, parameters)
        return [Row(position, Lane(lane), size) for position, lane, size in found]

    def candidates(self, lane: Lane, after: int, limit: int) -> tuple[Entry, ...]:
        """As `Spool.candidates`."""
        return tuple(
            Entry(position, message_id, Up(kind), size, sha256, consent)
            for position, message_id, kind, size, sha256, consent in self._connection.execute(
                _CANDIDATES, (int(lane), after, limit)
            )
        )

    def body(self, message_id: bytes) -> tuple[bytes | None, bytes] | None:
        """A message and the SHA-256 it was spooled with; None if there is none of that id."""
        row: tuple[bytes | None, bytes] | None = self._connection.execute(_BODY, (message_id,)).fetchone()
        return row

    def set_aside(self, message_id: bytes, reason: str) -> None:
        """As `Spool.set_aside`."""
        self._connection.execute(_SET_ASIDE, (reason, message_id))

    def release(self, at_most_bytes: int | None) -> int:
        """As `Spool.release`."""
        return self._connection.execute(_RELEASE, (at_most_bytes,)).rowcount

    def set_aside_by_reason(self) -> Iterator[tuple[Lane, str, int]]:
        """How many are set aside, by lane and reason."""
        for lane, reason, count in self._connection.execute(
            "SELECT lane, aside, count(*) FROM message WHERE aside IS NOT NULL GROUP BY lane, aside"
        ):
            yield Lane(lane), reason, count

    def lanes(self) -> dict[Lane, tuple[int, int, int]]:
        """Messages, bytes and oldest time by lane, without the empty ones."""
        return {
            Lane(lane): (count, size, oldest)
            for lane, count, size, oldest in self._connection.execute(_LANES)
        }

    def newest(self) -> tuple[int, int]:
        """The highest position, and the highest arrival number of a frame; 0 where there is none."""
        (position,) = self._connection.execute("SELECT coalesce(max(position), 0) FROM message").fetchone()
        ranks = self._connection.execute("SELECT rank FROM message WHERE rank IS NOT NULL")
        return position, max((thinning_rank(rank) for (rank,) in ranks), default=0)

    def end_consent(self, consent: bytes, now_ms: int) -> None:
        """Remember that a consent ended."""
        self._connection.execute(_END_CONSENT, (consent, now_ms))

    def has_ended(self, consent: bytes) -> bool:
        """Whether a consent ended."""
        query = "SELECT 1 FROM ended_consent WHERE consent = ?"
        return self._connection.execute(query, (consent,)).fetchone() is not None

    def ended_consents(self) -> list[tuple[bytes, int]]:
        """All that ended."""
        return self._connection.execute("SELECT consent, ended_at_ms FROM ended_consent").fetchall()

    def count(self, added: Counter[str]) -> None:
        """Add to the counters."""
        self._connection.executemany(_COUNT, added.items())

    def counters(self) -> Counter[str]:
        """Everything that was counted."""
        return Counter(dict(self._connection.execute("SELECT name, value FROM counter")))

    def save_setting(self, name: str, value: str) -> None:
        """Keep a setting."""
        self._connection.execute(_SAVE_SETTING, (name, value))

    def settings(self) -> dict[str, str]:
        """Everything that was kept."""
        return dict(self._connection.execute("SELECT name, value FROM setting"))

    def add_blanks(self, blanks: Sequence[SpooledBlank]) -> int:
        """As `Spool.add_blanks`."""
        rows = [(blank.blank, blank.signed, blank.usable_until_ms) for blank in blanks]
        return self._connection.executemany(_ADD_BLANK, rows).rowcount

    def take_blank(self, now_ms: int) -> SpooledBlank | None:
        """As `Spool.take_blank`."""
        taken = self._connection.execute(_TAKE_BLANK, (now_ms, now_ms)).fetchall()
        return SpooledBlank(*taken[0]) if taken else None

    def blanks_left(self, now_ms: int) -> int:
        """As `Spool.blanks_left`."""
        query = "SELECT count(*) FROM blank WHERE used_at_ms IS NULL AND usable_until_ms >= ?"
        (count,) = self._connection.execute(query, (now_ms,)).fetchone()
        return int(count)

    def forget(self, before_ms: int) -> None:
        """Delete blanks and ended consents that nothing can come of any more."""
        self._connection.execute(_FORGET_BLANKS, (before_ms,))
        self._connection.execute(_FORGET_CONSENTS, (FIRST_MS, before_ms))

    def used_bytes(self) -> int:
        """Size of what is stored; the file itself never shrinks, its free pages are used again."""
        (size,) = self._connection.execute(
            "SELECT (page_count - freelist_count) * page_size"
            " FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
        ).fetchone()
        return int(size)

    def move_log(self) -> None:
        """Move the log into the file, so that the commit of a frame need not."""
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def truncate_log(self) -> bool:
        """Move the log into the file and empty it; whether nobody who reads the file prevented it."""
        busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def close(self) -> None:
        """Close the file; what was committed is safe already."""
        self._connection.close()


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version < SCHEMA_VERSION:
        # Imported only now: sqlite-utils costs a start 100 ms and 11 MB, and most starts need no migration.
        from edge_agent.adapters.uplink.spool_schema import migrate

        migrate(connection)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
