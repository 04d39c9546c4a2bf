import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edge_agent.adapters.clock import SystemClock
from edge_agent.adapters.journal_sqlite import SqliteJournal, WriterLimits, limits
from edge_agent.config import JournalConfig
from edge_agent.errors import JournalError
from edge_agent.impression import Displayed
from tests.builders.faulty_disk import BROKEN, FULL, FaultyConnection, faulty_connection
from tests.builders.records import (
    START_MS,
    impression,
    interaction_id,
    outcome,
    seeded_randomness,
)

QUICK = WriterLimits(flush_after_s=0.01, retry_after_s=0.02, max_waiting=5)
NEVER = WriterLimits(flush_after_s=3600, retry_after_s=3600)
SLATE_JSON = (
    '[{"flavour":"mango","name":"Mango","probability":0.5},'
    '{"flavour":"mint","name":"Mint","probability":0.25}]'
)

Start = Callable[..., SqliteJournal]


@pytest.fixture
def disk() -> type[FaultyConnection]:
    return faulty_connection()


@pytest.fixture
def start(tmp_path: Path, disk: type[FaultyConnection]) -> Iterator[Start]:
    started: list[SqliteJournal] = []

    def make(writer: WriterLimits = QUICK, **more: Any) -> SqliteJournal:
        journal = SqliteJournal(
            tmp_path / "journal.db",
            clock=SystemClock(),
            randomness=seeded_randomness(len(started)),
            writer=writer,
            connection_class=disk,
            **more,
        )
        started.append(journal)
        return journal

    yield make
    disk.fault = None
    for journal in started:
        journal.close()


def rows(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path / "journal.db")) as connection:
        return connection.execute(query).fetchall()


def eventually(true: Callable[[], bool]) -> None:
    """Wait for another thread; fails after ten seconds."""
    for _ in range(2000):
        if true():
            return
        time.sleep(0.005)
    pytest.fail("did not happen within ten seconds")


def test_a_slate_is_written_without_anybody_waiting_for_it(start: Start, tmp_path: Path) -> None:
    journal = start()
    slate = impression().slate[:2]
    journal.impression(impression(1, slate=slate))
    journal.displayed(Displayed(interaction_id(1), START_MS + 9))
    eventually(lambda: journal.counts()["impressions"] == 1)
    assert rows(tmp_path, "SELECT * FROM impression") == [
        (
            str(interaction_id(1)), START_MS + 1, "model", "model", None,
            SLATE_JSON,
            0.875, "ab" * 32, "2026.11.22", 3, '["mango","mint","lemon","coffee"]',
            '{"hour":15.5,"weekday":5,"temperature_c":null,"shop":"beach"}',
            0.01, "[1.0,0.5,0.25,-1.0]", 12.0, 0.2, 0.4,
        )
    ]  # fmt: skip
    assert rows(tmp_path, "SELECT * FROM displayed") == [(str(interaction_id(1)), START_MS + 9)]


def test_slates_share_a_transaction_with_the_next_sale(start: Start, disk: type[FaultyConnection]) -> None:
    """They do not wait for their own time when something is written anyway."""
    journal = start(NEVER)
    for number in range(40):
        journal.impression(impression(number))
    journal.outcome(outcome())
    assert journal.counts()["impressions"] == 40


def test_everything_is_there_after_a_restart(start: Start) -> None:
    journal = start(NEVER)
    journal.impression(impression(1))
    journal.save_setting("menu", "kept")
    first = journal.outcome(outcome())
    journal.impression(impression(2))
    journal.close()
    again = start()
    assert again.setting("menu") == "kept"
    assert again.counts()["impressions"] == 2, "closing writes what waits"
    assert again.counts()["sales"] == 1
    assert again.knows(interaction_id(2))
    assert again.outcome(outcome()).outcome_id == first.outcome_id


def test_an_id_that_is_none_any_more_does_not_prevent_the_start(start: Start, tmp_path: Path) -> None:
    """A flipped bit in a text is no damage that SQLite sees."""
    journal = start()
    journal.impression(impression(1))
    journal.impression(impression(2))
    journal.close()
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
        connection.execute(
            "UPDATE impression SET interaction_id = 'x' WHERE shown_at_ms = ?", (START_MS + 1,)
        )
    again = start()
    assert not again.knows(interaction_id(1))
    assert again.knows(interaction_id(2))


@pytest.mark.parametrize("fault", [FULL, BROKEN], ids=["ENOSPC", "EIO"])
@pytest.mark.parametrize("at", ["BEGIN", "INSERT INTO impression", "INSERT INTO counter", "COMMIT"])
def test_a_disk_that_refuses_loses_no_slate_until_memory_is_full(
    start: Start, disk: type[FaultyConnection], fault: tuple[int, str], at: str
) -> None:
    """T12, T14: at whichever write; the journal goes on by itself when the disk does."""
    journal = start()
    disk.fault, disk.at = fault, at
    for number in range(3):
        journal.impression(impression(number))
    eventually(lambda: disk.failures >= 2)
    counts = journal.counts()
    assert (counts["impressions"], counts["dropped"], counts["refusing"]) == (0, 0, 1)
    disk.fault = None
    eventually(lambda: journal.counts()["impressions"] == 3)
    eventually(lambda: journal.counts()["refusing"] == 0)


def test_beyond_its_memory_the_oldest_slates_are_dropped_and_counted(
    start: Start, disk: type[FaultyConnection], tmp_path: Path
) -> None:
    """T12: the policy that the configuration's documentation states; the count survives a restart."""
    journal = start()
    disk.fault = FULL
    journal.impression(impression(0))
    eventually(lambda: journal.counts()["refusing"] == 1)
    for number in range(1, 9):
        journal.impression(impression(number))
    assert journal.counts()["dropped"] >= 3
    disk.fault = None
    eventually(lambda: journal.counts()["waiting"] == 0)
    counts = journal.counts()
    assert counts["impressions"] + counts["dropped"] == 9
    journal.close()
    assert start().counts()["dropped"] == counts["dropped"]
    newest = rows(tmp_path, "SELECT max(shown_at_ms) FROM impression")
    assert newest == [(START_MS + 8,)]


@pytest.mark.parametrize("fault", [FULL, BROKEN], ids=["ENOSPC", "EIO"])
def test_a_sale_that_the_disk_refuses_is_not_acknowledged(
    start: Start, disk: type[FaultyConnection], fault: tuple[int, str]
) -> None:
    """T12, T14: the till is told to send it again, and the same key then stores it once."""
    journal = start()
    disk.fault = fault
    with pytest.raises(JournalError, match="refused the record") as refusal:
        journal.outcome(outcome())
    assert "same key" in refusal.value.remedy
    assert journal.counts()["sales"] == 0
    disk.fault = None
    assert not journal.outcome(outcome()).repeated
    assert journal.counts()["sales"] == 1


def test_a_sale_is_tried_without_the_slates_that_do_not_fit(
    start: Start, disk: type[FaultyConnection]
) -> None:
    """T12: the small lane goes first when there is little room."""
    disk.at = "INSERT INTO impression"
    journal = start(NEVER)
    journal.impression(impression(1))
    disk.fault = FULL
    assert not journal.outcome(outcome()).repeated
    assert journal.counts()["sales"] == 1
    disk.fault = None


def test_a_journal_opens_on_a_disk_that_refuses(start: Start, disk: type[FaultyConnection]) -> None:
    """T12, invariant 5: a register with a full disk starts and recommends."""
    disk.fault, disk.at = FULL, "PRAGMA"
    journal = start()
    journal.impression(impression(1))
    assert journal.counts()["refusing"] == 1
    assert journal.setting("menu") is None
    disk.fault = None
    eventually(lambda: journal.counts()["impressions"] == 1)


def test_what_waits_at_the_end_is_counted_as_dropped(
    start: Start, disk: type[FaultyConnection], caplog: pytest.LogCaptureFixture
) -> None:
    journal = start(NEVER)
    journal.impression(impression(1))
    disk.fault = FULL
    with caplog.at_level(logging.ERROR):
        journal.close()
    assert journal.counts()["dropped"] == 1
    assert "journal.lost" in caplog.messages


def test_a_closed_journal_refuses_sales_and_counts_slates(start: Start) -> None:
    journal = start()
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        journal.outcome(outcome())
    journal.impression(impression(1))
    assert journal.counts()["dropped"] == 1


def test_a_record_that_can_never_be_stored_harms_nobody_beside_it(start: Start) -> None:
    """It would fail again at every attempt; its neighbours are written without it."""
    journal = start(NEVER)
    journal.impression(impression(1))
    journal.impression(impression(2, menu_version="three"))
    journal.impression(impression(3, context=(("hour", object()),)))
    journal.outcome(outcome())
    eventually(lambda: journal.counts()["waiting"] == 0)
    counts = journal.counts()
    assert (counts["impressions"], counts["dropped"], counts["sales"]) == (1, 2, 1)


def test_a_writer_that_dies_leaves_nobody_waiting(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of ours must show as an error at the till, not as a request that never ends."""
    journal = start(NEVER)

    def defect(*_: object) -> None:
        raise AssertionError("a defect")

    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    monkeypatch.setattr(journal._store, "write", defect)
    with pytest.raises(JournalError):
        journal.outcome(outcome())
    eventually(lambda: not journal._writer.is_alive())
    with pytest.raises(JournalError):
        journal.outcome(outcome("later"))


def test_a_log_line_tells_of_refusal_and_recovery_once(
    start: Start, disk: type[FaultyConnection], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        journal = start()
        disk.fault = FULL
        journal.impression(impression(1))
        eventually(lambda: disk.failures >= 3)
        disk.fault = None
        eventually(lambda: journal.counts()["refusing"] == 0)
    assert caplog.messages.count("journal.refused") == 1
    assert caplog.messages.count("journal.recovered") == 1


def test_the_configuration_becomes_limits() -> None:
    store, writer = limits(JournalConfig(flush_ms=20, max_age_days=2, max_mb=16))
    assert (store.max_age_ms, store.max_bytes) == (2 * 86_400_000, 16 * 1024 * 1024)
    assert writer.flush_after_s == 0.02
