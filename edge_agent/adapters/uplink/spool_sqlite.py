"""The spool on disk: one SQLite file in every condition, full, refused, damaged or well."""

import hashlib
import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from daemon.log_fields import fields
from edge_agent.adapters.durable import sync_folder
from edge_agent.adapters.journal_database import is_damage
from edge_agent.adapters.journal_set_aside import set_aside
from edge_agent.adapters.uplink.disk_reserve import RESERVE_BYTES, DiskReserve
from edge_agent.adapters.uplink.spool_book import SpoolBook
from edge_agent.adapters.uplink.spool_file import Row, SpoolFile
from edge_agent.adapters.uplink.spool_salvage import salvage
from edge_agent.ports import Clock
from edge_agent.uplink.accounting import DropReason, Fate, account
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.ports import SpooledBlank
from edge_agent.uplink.spool_rules import SEQUENCES_AT_ONCE, SpoolBounds, first_sequence
from edge_agent.uplink.spooled import Entry, LaneStats, SpoolStats, Write

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_SET_ASIDE: Final = 3
"""Damaged files per run; a disk that damages more is treated as one that refuses."""
_SEQUENCE: Final = "sequence"
"""The setting with the first sequence number that is not reserved."""
_AT_ONCE: Final = 64
"""Messages that one transaction deletes when many go: the log stays small."""
_WRITES_IN_LOG: Final = 16
"""So many, about 3 MiB with frames, go from the log into the file together: fewer at once wear the disk."""
_GIVE_WAY: Final = 16
"""One in so many frames makes room for the small lanes on a full disk."""


class SqliteSpool:
    """A `Spool` in the file at `path`; opened at the first call, and again after trouble.

    Args:
        path: The file; its folder belongs to this process alone.
        clock: Ages, names of files set aside, where sequence numbers begin.
        bounds: How much is kept.
        connection_class: What SQLite's connections are made of; tests put faults into it.
        reserve_bytes: Disk space that only the small lanes may use.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        bounds: SpoolBounds | None = None,
        connection_class: type[sqlite3.Connection] = sqlite3.Connection,
        reserve_bytes: int = RESERVE_BYTES,
    ) -> None:
        self._path = path
        self._clock = clock
        self._bounds = SpoolBounds() if bounds is None else bounds
        self._connection_class = connection_class
        self._reserve = DiskReserve(path.with_name(path.name + ".reserve"), reserve_bytes)
        self._guard = threading.RLock()
        self._counting = threading.Lock()
        self._counted: Counter[str] = Counter()
        self._book: SpoolBook | None = None
        self._damaged: Path | None = None
        self._set_aside = 0
        self._opened_before = False
        self._positions = (0, 0)
        self._known: Counter[str] = Counter()
        self._sequence = self._reserved = 0
        self._to_truncate = False
        self._in_log = 0

    def next_sequence(self) -> int:
        """As `Spool.next_sequence`."""
        with self._guard:
            if self._sequence >= self._reserved:
                self._run(self._reserve_sequences)
            self._sequence += 1
            return self._sequence - 1

    def write(self, write: Write) -> tuple[bool, ...]:
        """As `Spool.write`."""
        urgent = not write.messages or any(one.lane is not Lane.FRAMES for one in write.messages)
        if not urgent and not self._reserve.keep():
            raise SpoolError(
                "the disk has no room for pictures; what is left is for withdrawals, consents and sales",
                remedy="Free some space on the disk of `data_dir`; the agent goes on by itself.",
            )
        kept = self._run(
            lambda book: self._counting_in(lambda counted: book.write(write, counted, self._clock.now_ms())),
            urgent=urgent,
        )
        self._in_log += 1
        if write.erase:
            self._to_truncate = True
            self._run(self._truncate)
        return kept

    def count(self, name: str, by: int = 1) -> None:
        """As `Spool.count`."""
        with self._counting:
            self._counted[name] += by

    def flush(self) -> None:
        """As `Spool.flush`; also the log, the disk's reserve, and what an erased message left in the log."""
        if self._counted:
            self.write(Write())
        if self._to_truncate:
            self._run(self._truncate)
        if self._in_log >= _WRITES_IN_LOG:
            self._run(self._move_log)
        self._reserve.keep()

    def candidates(self, lane: Lane, after: int, limit: int) -> tuple[Entry, ...]:
        """As `Spool.candidates`."""
        return self._run(lambda book: book.file.candidates(lane, after, limit))

    def load(self, message_id: bytes) -> bytes | None:
        """As `Spool.load`."""
        found = self._run(lambda book: book.file.body(message_id))
        if found is None:
            return None
        message, sha256 = found
        if message is not None and hashlib.sha256(message).digest() == sha256:
            return message
        log.error("spool.message_damaged", extra=fields(message_id=message_id.hex()))
        self._run(
            lambda book: self._remove(book, book.file.of_id(message_id), Fate.DROPPED, DropReason.DAMAGED)
        )
        return None

    def set_aside(self, message_id: bytes, reason: str) -> None:
        """As `Spool.set_aside`."""
        self._run(lambda book: book.file.set_aside(message_id, reason))

    def release(self, at_most_bytes: int | None = None) -> int:
        """As `Spool.release`."""
        return self._run(lambda book: book.file.release(at_most_bytes))

    def expire(self, captured_before_ms: int) -> int:
        """As `Spool.expire`; forgets blanks and ended consents of that age, too."""
        self._run(lambda book: book.file.forget(captured_before_ms))
        return self._remove_many(
            lambda book: book.file.captured_before(captured_before_ms, _AT_ONCE), DropReason.TOO_OLD
        )

    def purge(self, lane: Lane, *, only_set_aside: bool = False) -> int:
        """As `Spool.purge`."""
        return self._remove_many(
            lambda book: book.file.of_lane(lane, _AT_ONCE, only_set_aside=only_set_aside), DropReason.PURGED
        )

    def setting(self, name: str) -> str | None:
        """As `Spool.setting`."""
        return self._run(lambda book: book.settings.get(name))

    def add_blanks(self, blanks: Sequence[SpooledBlank]) -> int:
        """As `Spool.add_blanks`."""

        def add(book: SpoolBook) -> int:
            with book.file.transaction():
                return book.file.add_blanks(blanks)

        return self._run(add)

    def take_blank(self, now_ms: int) -> SpooledBlank | None:
        """As `Spool.take_blank`."""
        return self._run(lambda book: book.file.take_blank(now_ms), urgent=True)

    def blanks_left(self, now_ms: int) -> int:
        """As `Spool.blanks_left`."""
        return self._run(lambda book: book.file.blanks_left(now_ms))

    def stats(self) -> SpoolStats:
        """As `Spool.stats`; what was counted and not yet written is among it."""
        with self._guard:
            self.flush()
            return self._run(_stats)

    def close(self) -> None:
        """As `Spool.close`; what cannot be flushed is logged."""
        with self._guard:
            if self._book is not None:
                try:
                    self.flush()
                except SpoolError as error:
                    log.warning("spool.not_flushed", extra=fields(error=str(error)))
            self._close()

    # ---- below: conditions of the file -------------------------------------------------------------------

    def _run(self, work: Callable[[SpoolBook], T], *, urgent: bool = False) -> T:
        """Do it; after trouble that can be mended, mend and do it again.

        Args:
            work: All or nothing.
            urgent: Frames and the disk's reserve give way for it.
        """
        with self._guard:
            while True:
                try:
                    return work(self._ready())
                except (sqlite3.Error, OSError) as error:
                    self._mend(error, urgent=urgent)

    def _ready(self) -> SpoolBook:
        if self._book is None:
            self._book = self._open()
        return self._book

    def _open(self) -> SpoolBook:
        # A log that is still there tells of a crash, or of a power cut: only then is every page read.
        crashed = not self._opened_before and self._path.with_name(self._path.name + "-wal").exists()
        file = SpoolFile.open(self._path, self._connection_class)
        try:
            if crashed:
                file.check()
            book = SpoolBook(file, self._bounds, self._positions)
            if self._damaged is not None:
                self._carry_over(self._damaged, book)
            sync_folder(self._path.parent)
        except (sqlite3.Error, OSError):
            file.close()
            raise
        if not self._opened_before:
            self._reserve.keep()
        self._opened_before = True
        return book

    def _carry_over(self, damaged: Path, book: SpoolBook) -> None:
        self._damaged = None  # once: what a second attempt could find is in the new file by then
        now_ms = self._clock.now_ms()
        saved = salvage(damaged, book, self._known, now_ms)
        log.error(
            "spool.set_aside",
            extra=fields(
                damaged=str(damaged),
                messages_saved=saved,
                remedy="The agent goes on with a new spool; check the disk, keep the old file for a look.",
            ),
        )

    def _mend(self, error: sqlite3.Error | OSError, *, urgent: bool) -> None:
        """Do something about it, or raise it as a SpoolError."""
        if isinstance(error, sqlite3.Error) and is_damage(error) and self._set_aside < MAX_SET_ASIDE:
            self._set_aside += 1
            self._close()
            try:
                self._damaged = set_aside(self._path, self._clock.now_ms())
            except OSError as refused:
                raise _refused(refused) from refused
            return
        if urgent and getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL and self._make_room():
            return
        # Nothing in memory can be trusted after a failed write: the next call reads the file again.
        self._close()
        raise _refused(error) from error

    def _make_room(self) -> bool:
        """Give up the reserve, then some frames; whether there was anything to give up."""
        book, given_up = self._book, self._reserve.give_up()
        if given_up:
            log.warning("spool.reserve_used", extra=fields(remedy="Free some space: the disk is full."))
        if book is None:
            return given_up
        try:
            # The log shrinks only when all of it fits into the file.
            book.file.truncate_log()
            if given_up:
                return True
            count = book.file.lanes().get(Lane.FRAMES, (0, 0, 0))[0]
            rows = book.file.first_to_go(min(_AT_ONCE, -(-count // _GIVE_WAY)))
            with book.change({}) as change:
                book.remove(change, rows, Fate.DROPPED, DropReason.DISK)
            book.file.truncate_log()
        except sqlite3.Error:
            return given_up
        return bool(rows)

    def _close(self) -> None:
        if self._book is not None:
            self._positions = self._book.positions
            self._known = Counter(self._book.counters)
            self._book.file.close()
            self._book = None

    # ---- below: steps of the calls above -----------------------------------------------------------------

    def _counting_in(self, work: Callable[[Mapping[str, int]], T]) -> T:
        """Let a transaction take along what was counted; if it fails, the next one does."""
        with self._counting:
            counted = Counter(self._counted)
        done = work(counted)
        with self._counting:
            self._counted.subtract(counted)
            self._counted = +self._counted
        return done

    def _reserve_sequences(self, book: SpoolBook) -> None:
        kept = book.settings.get(_SEQUENCE, "")
        if kept.isdecimal():
            first = max(int(kept), self._reserved)
        else:
            first = first_sequence(self._clock.now_ms(), self._reserved)
        reserved = first + SEQUENCES_AT_ONCE
        book.write(Write(settings={_SEQUENCE: str(reserved)}), {}, self._clock.now_ms())
        self._sequence, self._reserved = first, reserved

    def _remove_many(self, rows_of: Callable[[SpoolBook], list[Row]], reason: DropReason) -> int:
        """Delete in small transactions, until there is nothing more to delete."""
        total = 0
        while removed := self._run(lambda book: self._remove(book, rows_of(book), Fate.DROPPED, reason)):
            total += removed
        return total

    @staticmethod
    def _remove(book: SpoolBook, rows: list[Row], fate: Fate, reason: DropReason | None) -> int:
        if rows:
            with book.change({}) as change:
                book.remove(change, rows, fate, reason)
        return len(rows)

    def _move_log(self, book: SpoolBook) -> None:
        book.file.move_log()
        self._in_log = 0

    def _truncate(self, book: SpoolBook) -> None:
        """Leave no byte of an erased message in the log; `flush` tries again if a reader prevented it."""
        self._to_truncate = not book.file.truncate_log()


def _stats(book: SpoolBook) -> SpoolStats:
    lanes = book.file.lanes()
    aside: dict[Lane, dict[str, int]] = {lane: {} for lane in Lane}
    for lane, reason, count in book.file.set_aside_by_reason():
        aside[lane][reason] = count
    stats = {}
    for lane in Lane:
        count, size, oldest = lanes.get(lane, (0, 0, None))
        stats[lane] = LaneStats(account(lane, book.counters, count), size, oldest, aside[lane])
    return SpoolStats(
        lanes=stats,
        used_bytes=book.file.used_bytes(),
        blanks=book.file.blanks_left(0),
        damaged_files=book.counters["damaged_files"],
    )


def _refused(error: sqlite3.Error | OSError) -> SpoolError:
    return SpoolError(
        f"the spool cannot be used: {error}",
        remedy="Check that the disk of `data_dir` is there, healthy and not full; the agent tries again.",
    )
