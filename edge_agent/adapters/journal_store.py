"""The journal's file in every condition: opened, refused, damaged, set aside, tidied. One thread uses it."""

import logging
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from daemon.log_fields import fields
from edge_agent.adapters.durable import sync_folder
from edge_agent.adapters.journal_database import Answer, JournalDatabase, Record, Setting, is_damage
from edge_agent.adapters.journal_set_aside import Salvage, salvage, set_aside
from edge_agent.ports import Clock

log = logging.getLogger(__name__)

KNOWN_IDS = 1024
"""As many ended interactions as the agent itself remembers while it runs."""

_MS_PER_DAY = 86_400_000
_THIN_OUT_SHARE = 20
"""One in so many of the slates goes at a time: rarely, and not all at once."""


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """How much is kept; the policy is the same for every register and told in the documentation."""

    max_age_ms: int = 30 * _MS_PER_DAY
    """What is older is deleted, and counted as `expired`."""
    max_bytes: int = 256 << 20
    """Beyond this the oldest slates are deleted, and counted as `thinned`; sales never are."""
    max_set_aside: int = 3
    """Damaged files per run; a disk that damages more is treated as one that refuses."""


class JournalStore:
    """The file at `path`, whatever becomes of it.

    Args:
        path: The file; its folder belongs to this process alone.
        clock: Names of files set aside, ages.
        limits: How much is kept.
        connection_class: What SQLite's connections are made of; tests put faults into it.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        limits: StoreLimits,
        connection_class: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        self._path = path
        self._clock = clock
        self._limits = limits
        self._connection_class = connection_class
        self._database: JournalDatabase | None = None
        self._set_aside = 0
        self._opened_before = False
        self._salvage: Salvage | None = None
        self.settings: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self.known_ids: list[UUID] = []
        """The newest slates that the first opening found, oldest first."""

    def open(self) -> None:
        """Open the file now rather than at the first write.

        Raises:
            sqlite3.Error: The disk refused; a later write tries again.
        """
        self._ready()

    def write(self, records: Sequence[Record], counted: Mapping[str, int]) -> list[Answer]:
        """Store all of this durably, or nothing; a damaged file is replaced on the way.

        Raises:
            sqlite3.Error: Nothing was acknowledged; repeating it later is safe.
        """
        try:
            answers, added = self._ready().write(records, counted)
        except sqlite3.Error as error:
            self._give_up_or_replace(error)
            answers, added = self._ready().write(records, counted)
        self.counts.update(added)
        self.settings.update((record.name, record.value) for record in records if isinstance(record, Setting))
        return answers

    def tidy(self) -> None:
        """Delete what is too old, then the oldest slates while there is too much.

        Raises:
            sqlite3.Error: As `write`.
        """
        database = self._ready()
        try:
            expired = database.delete_older(self._clock.now_ms() - self._limits.max_age_ms)
            thinned = 0
            while database.used_bytes() > self._limits.max_bytes:
                gone = database.thin_out(_THIN_OUT_SHARE)
                if not gone:
                    break
                thinned += gone
        except sqlite3.Error as error:
            self._give_up_or_replace(error)
            return
        removed = {name: count for name, count in (("expired", expired), ("thinned", thinned)) if count}
        if removed:
            self.write((), removed)
            log.info("journal.tidied", extra=fields(**removed))

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _ready(self) -> JournalDatabase:
        """The open database, opened again after trouble."""
        if self._database is None:
            try:
                self._database = self._open()
            except sqlite3.Error as error:
                self._give_up_or_replace(error)
                self._database = self._open()
        return self._database

    def _open(self) -> JournalDatabase:
        # A log that is still there tells of a crash, or of a power cut: only then is every page read.
        crashed = not self._opened_before and self._path.with_name(self._path.name + "-wal").exists()
        database = JournalDatabase.open(self._path, self._connection_class)
        try:
            if crashed:
                database.check()
            if self._salvage is not None:
                database.adopt(self._salvage.outcomes)
                records = [Setting(name, value) for name, value in self._salvage.settings.items()]
                database.write(records, self._salvage.counters)
            self.settings, self.counts = database.settings(), database.counters()
            if not self._opened_before:
                self.known_ids = database.newest_ids(KNOWN_IDS)
            sync_folder(self._path.parent)
        except (sqlite3.Error, OSError):
            database.close()
            raise
        self._salvage = None
        self._opened_before = True
        return database

    def _give_up_or_replace(self, error: sqlite3.Error) -> None:
        """Close, as nothing in memory can be trusted now; set a damaged file aside, raise the rest."""
        self.close()
        if not is_damage(error) or self._set_aside >= self._limits.max_set_aside:
            raise error
        self._set_aside += 1
        damaged = set_aside(self._path, self._clock.now_ms())
        found = salvage(damaged)
        # What this process has read or written itself is newer than what could be read now.
        counters = Counter(self.counts if self._opened_before else found.counters) + Counter(set_aside=1)
        waiting = [] if self._salvage is None else self._salvage.outcomes
        settings = {**found.settings, **self.settings}
        self._salvage = Salvage(waiting + found.outcomes, settings, counters)
        log.error(
            "journal.set_aside",
            extra=fields(
                damaged=str(damaged),
                error=str(error),
                sales_saved=len(found.outcomes),
                remedy="The agent goes on with a new journal; check the disk, keep the old file for a look.",
            ),
        )
