"""The register's journal on disk: one writer thread, slates in groups, sales durable before the answer.

A full or failing disk costs records of slates, counted as `dropped`, and refuses sales; it never stops the
agent, and the journal goes on by itself when the disk does.
"""

import logging
import sqlite3
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from daemon.log_fields import fields
from edge_agent.adapters.journal_database import Answer, NewOutcome, Record, Setting
from edge_agent.adapters.journal_store import KNOWN_IDS, JournalStore, StoreLimits
from edge_agent.config import JournalConfig
from edge_agent.errors import ConflictError, JournalError
from edge_agent.impression import Displayed, Impression, Outcome, StoredOutcome
from edge_agent.ports import Clock, Randomness
from wire_protocol.identifiers import uuid7

log = logging.getLogger(__name__)

_NS_PER_S = 1_000_000_000
_MS_PER_DAY = 86_400_000
_MAX_BATCH = 500
"""Slates per transaction, so that a sale never waits for more."""
_REMEDY = "Free some space on the register's disk or check it, then send the sale again with the same key."
_UNSTORABLE = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    TypeError,
    ValueError,
    OverflowError,
)
"""A record's own fault: it would fail again, and take its neighbours along."""


@dataclass(frozen=True, slots=True)
class WriterLimits:
    """How the writer paces itself."""

    flush_after_s: float = 0.05
    """A slate waits at most so long for others before it is written."""
    retry_after_s: float = 1.0
    """After the disk refused, slates wait so long for the next attempt; sales try at once."""
    max_waiting: int = 10_000
    """Slates kept in memory (about 2 KB each) while the disk refuses; the oldest are dropped beyond."""
    tidy_every_s: float = 3600.0


KEEP = StoreLimits()
PACE = WriterLimits()


def limits(config: JournalConfig) -> tuple[StoreLimits, WriterLimits]:
    """What the configuration says, in the terms of store and writer."""
    return (
        StoreLimits(max_age_ms=config.max_age_days * _MS_PER_DAY, max_bytes=config.max_mb << 20),
        WriterLimits(flush_after_s=config.flush_ms / 1000),
    )


@dataclass(frozen=True, slots=True)
class _Ask:
    """A record, and who waits for it: nobody waits for slates."""

    record: Record
    done: "Future[Answer] | None" = None


class SqliteJournal:
    """The `Journal` of a running register. Opening never fails: what the disk refuses now is tried again.

    Args:
        path: The file; its folder exists and belongs to this process alone (`DataFolder`).
        clock: Times of outcomes, retries and deletions.
        randomness: Makes outcome ids unique.
        store: How much is kept.
        writer: How the writer paces itself.
        connection_class: What SQLite's connections are made of; tests put faults into it.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        randomness: Randomness,
        store: StoreLimits = KEEP,
        writer: WriterLimits = PACE,
        connection_class: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        self._clock = clock
        self._randomness = randomness
        self._limits = writer
        self._store = JournalStore(path, clock, store, connection_class)
        self._changed = threading.Condition()
        self._slates: deque[_Ask] = deque()
        self._urgent: deque[_Ask] = deque()
        self._uncounted: Counter[str] = Counter()
        self._written: Counter[str] = Counter()
        self._in_hand = 0
        self._slates_due_ns = 0
        self._tidy_due_ns = 0
        self._refusing = False
        self._closed = False
        try:
            self._store.open()
        except (sqlite3.Error, OSError) as error:
            self._refused(error)
        self._recent = OrderedDict.fromkeys(self._store.known_ids)
        self._written = self._store.counts.copy()
        self._writer = threading.Thread(target=self._run, name="journal", daemon=True)
        self._writer.start()

    def impression(self, impression: Impression) -> None:
        """As `Journal.impression`."""
        with self._changed:
            self._recent[impression.interaction_id] = None
            if len(self._recent) > KNOWN_IDS:
                self._recent.popitem(last=False)
            self._queue(impression)

    def displayed(self, displayed: Displayed) -> None:
        """As `Journal.displayed`."""
        with self._changed:
            self._queue(displayed)

    def outcome(self, outcome: Outcome) -> StoredOutcome:
        """As `Journal.outcome`."""
        now_ms = self._clock.now_ms()
        answer = self._ask(NewOutcome(outcome, uuid7(now_ms, self._randomness(10)), now_ms))
        if isinstance(answer, ConflictError):
            raise answer
        assert answer is not None, "an outcome has an answer"
        return answer

    def knows(self, interaction_id: UUID) -> bool:
        """As `Journal.knows`."""
        with self._changed:
            return interaction_id in self._recent

    def save_setting(self, name: str, value: str) -> None:
        """As `Journal.save_setting`."""
        self._ask(Setting(name, value))

    def setting(self, name: str) -> str | None:
        """As `Journal.setting`; from memory."""
        return self._store.settings.get(name)

    def counts(self) -> Mapping[str, int]:
        """As `Journal.counts`; also `expired`, `thinned`, `set_aside`, `waiting`, `refusing` (0 or 1)."""
        with self._changed:
            total = self._written + self._uncounted
            waiting = len(self._slates) + self._in_hand
        names = ("impressions", "outcomes", "sales", "dropped", "expired", "thinned", "set_aside")
        return {name: total[name] for name in names} | {"waiting": waiting, "refusing": int(self._refusing)}

    def close(self) -> None:
        """Write what waits, then close; what the disk refuses even now is counted as dropped, and logged."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._writer.join()

    def _queue(self, record: Impression | Displayed) -> None:
        """Let a slate wait for the next write; the lock is held."""
        if self._closed:
            self._uncounted["dropped"] += 1
            return
        if len(self._slates) >= self._limits.max_waiting:
            self._slates.popleft()
            self._uncounted["dropped"] += 1
        if not self._slates:
            if not self._refusing:
                self._slates_due_ns = self._after(self._limits.flush_after_s)
            self._changed.notify()
        self._slates.append(_Ask(record))

    def _ask(self, record: NewOutcome | Setting) -> Answer:
        done: Future[Answer] = Future()
        with self._changed:
            if self._closed:
                raise JournalError("the journal is closed", remedy="Start the agent again, then repeat this.")
            self._urgent.append(_Ask(record, done))
            self._changed.notify()
        return done.result()

    def _run(self) -> None:
        """The writer thread."""
        batch: list[_Ask] | None = []
        try:
            while (batch := self._next()) is not None:
                self._write(batch)
                with self._changed:
                    self._in_hand = 0
                self._tidy_if_due()
            self._store.close()
        finally:
            # However this thread ends, nobody waits for it in vain.
            with self._changed:
                self._closed = True
                left = [*(batch or ()), *self._urgent, *self._slates]
            if left:
                self._fail(left, RuntimeError("the journal's writer has ended"))

    def _next(self) -> list[_Ask] | None:
        """Wait for something to do; None when everything is written and the journal closes."""
        with self._changed:
            while not (self._urgent or self._closed):
                now_ns = self._clock.monotonic_ns()
                due = [self._slates_due_ns] if self._slates else []
                due += [] if self._refusing else [self._tidy_due_ns]
                if due and min(due) <= now_ns:
                    break
                self._changed.wait((min(due) - now_ns) / _NS_PER_S if due else None)
            if self._closed and not self._urgent and not self._slates:
                return None
            batch = list(self._urgent)
            self._urgent.clear()
            if self._closed or self._slates_due_ns <= self._clock.monotonic_ns() or not self._refusing:
                self._in_hand = min(_MAX_BATCH, len(self._slates))
                batch += [self._slates.popleft() for _ in range(self._in_hand)]
            return batch

    def _write(self, batch: Sequence[_Ask]) -> None:
        if not batch:
            return
        with self._changed:
            counted = self._uncounted.copy()
        try:
            answers = self._store.write([ask.record for ask in batch], counted)
        except _UNSTORABLE as error:
            if len(batch) > 1:
                for ask in batch:
                    self._write([ask])
            else:
                self._fail(batch, error)
        except (sqlite3.Error, OSError) as error:
            self._refused(error)
            self._keep_or_fail(batch, error)
        else:
            self._accepted(counted)
            for ask, answer in zip(batch, answers, strict=True):
                if ask.done is not None:
                    ask.done.set_result(answer)

    def _keep_or_fail(self, batch: Sequence[_Ask], error: Exception) -> None:
        """Slates wait for the next attempt; sales try once more without them, as they are small."""
        slates = [ask for ask in batch if ask.done is None]
        urgent = [ask for ask in batch if ask.done is not None]
        if slates and self._closed:
            self._fail(slates, error)
        elif slates:
            with self._changed:
                self._slates.extendleft(reversed(slates))
                self._in_hand = 0
        if urgent and slates:
            self._write(urgent)
        elif urgent:
            self._fail(urgent, error)

    def _fail(self, batch: Sequence[_Ask], error: Exception) -> None:
        """Nothing more can be done for these."""
        slates = sum(ask.done is None for ask in batch)
        self._count({"dropped": slates} if slates else {})
        log.error("journal.lost", extra=fields(slates=slates, asked=len(batch) - slates, error=str(error)))
        for ask in batch:
            if ask.done is not None and not ask.done.done():
                refusal = JournalError(f"the register's disk refused the record: {error}", remedy=_REMEDY)
                refusal.__cause__ = error
                ask.done.set_exception(refusal)

    def _refused(self, error: Exception) -> None:
        with self._changed:
            first, self._refusing = not self._refusing, True
            self._slates_due_ns = self._after(self._limits.retry_after_s)
        if first:
            log.error("journal.refused", extra=fields(error=str(error), remedy=_REMEDY))

    def _accepted(self, counted: Mapping[str, int]) -> None:
        with self._changed:
            self._uncounted.subtract(counted)
            self._written = self._store.counts.copy()
            recovered, self._refusing = self._refusing, False
            if recovered:
                self._slates_due_ns = self._after(self._limits.flush_after_s)
        if recovered:
            log.info("journal.recovered", extra=fields(waiting=len(self._slates)))

    def _tidy_if_due(self) -> None:
        if self._refusing or self._clock.monotonic_ns() < self._tidy_due_ns:
            return
        self._tidy_due_ns = self._after(self._limits.tidy_every_s)
        try:
            self._store.tidy()
        except (sqlite3.Error, OSError) as error:
            self._refused(error)
        with self._changed:
            self._written = self._store.counts.copy()

    def _count(self, counted: Mapping[str, int]) -> None:
        with self._changed:
            self._uncounted.update(counted)

    def _after(self, seconds: float) -> int:
        return self._clock.monotonic_ns() + int(seconds * _NS_PER_S)
