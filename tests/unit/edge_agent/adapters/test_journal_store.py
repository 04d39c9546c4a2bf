import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.adapters.journal_database import NewOutcome, Setting
from edge_agent.adapters.journal_set_aside import damaged_files
from edge_agent.adapters.journal_store import JournalStore, StoreLimits
from edge_agent.impression import StoredOutcome
from tests.builders.faulty_disk import BROKEN, FULL, faulty_connection
from tests.builders.records import START_MS, StandingClock, impression, interaction_id, outcome

_DAY_MS = 86_400_000
_PAGE = 4096


def new_outcome(number: int) -> NewOutcome:
    return NewOutcome(outcome(f"key-{number}"), interaction_id(number), START_MS + number)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def fill(path: Path, sales: int = 300) -> None:
    """A journal of many pages, cleanly closed."""
    store = JournalStore(path, StandingClock(), StoreLimits())
    store.write([Setting("menu", "kept"), *(new_outcome(number) for number in range(sales))], {})
    store.write([impression(number) for number in range(50)], {"dropped": 7})
    store.close()


def overwrite(path: Path, page: int, content: bytes = b"\xa5" * _PAGE) -> None:
    with path.open("r+b") as file:
        file.seek(page * _PAGE)
        file.write(content)


def root_page(path: Path, table: str) -> int:
    """Where a table's tree begins, counted from 0."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        return int(connection.execute(query, (table,)).fetchone()[0]) - 1


def is_sound(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b"\0" * 40_000), id="zeroed"),
        pytest.param(lambda path: path.write_bytes(b"no database at all " * 4000), id="other-file"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:100]), id="truncated"),
        pytest.param(lambda path: overwrite(path, 0), id="first-page"),
        pytest.param(lambda path: overwrite(path, root_page(path, "outcome")), id="sales"),
        pytest.param(lambda path: overwrite(path, root_page(path, "impression")), id="slates"),
        pytest.param(lambda path: overwrite(path, root_page(path, "setting")), id="settings"),
        pytest.param(lambda path: overwrite(path, root_page(path, "counter")), id="counters"),
    ],
)
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(
    path: Path, damage: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    """T13, T14: whatever the disk did to it; the damaged bytes are kept, and one log line tells of them."""
    fill(path)
    damage(path)
    store = JournalStore(path, StandingClock(), StoreLimits())
    with caplog.at_level(logging.ERROR):
        (answer,) = store.write([new_outcome(9000)], {})
        store.write([impression(1)], {})
    assert isinstance(answer, StoredOutcome)
    assert not answer.repeated
    store.close()
    assert len(damaged_files(path)) == caplog.messages.count("journal.set_aside") == 1
    assert is_sound(path)
    again = JournalStore(path, StandingClock(), StoreLimits())
    (answer,) = again.write([new_outcome(9000)], {})
    assert isinstance(answer, StoredOutcome)
    assert answer.repeated
    assert again.counts["set_aside"] == 1
    again.close()


def test_an_emptied_file_is_a_new_journal(path: Path) -> None:
    """SQLite takes a file of length 0 for one that was never written."""
    fill(path)
    path.write_bytes(b"")
    store = JournalStore(path, StandingClock(), StoreLimits())
    store.write([new_outcome(1)], {})
    assert store.counts["sales"] == 1
    store.close()


def test_sales_are_saved_from_a_damaged_file(path: Path) -> None:
    """T14: what is readable on both sides of a bad page moves on, with settings and counts."""
    fill(path)
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT pageno FROM dbstat WHERE name = 'outcome' AND pagetype = 'leaf' ORDER BY pageno"
        try:
            leaves = [page - 1 for (page,) in connection.execute(query)]
        except sqlite3.OperationalError:
            pytest.skip("this SQLite cannot tell its pages apart")
    overwrite(path, leaves[len(leaves) // 2])
    overwrite(path, root_page(path, "impression"))
    store = JournalStore(path, StandingClock(), StoreLimits())
    store.write([impression(1)], {})
    answers = store.write([new_outcome(number) for number in range(300)], {})
    saved = sum(isinstance(answer, StoredOutcome) and answer.repeated for answer in answers)
    assert 250 < saved < 300
    assert store.settings == {"menu": "kept"}
    assert store.counts["dropped"] == 7
    store.close()


def test_saved_sales_keep_their_places(path: Path) -> None:
    """T14: the uplink reads behind a row's number; renumbered, a sale it has not read would lie before it."""
    fill(path)
    before = _places(path)
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT pageno FROM dbstat WHERE name = 'outcome' AND pagetype = 'leaf' ORDER BY pageno"
        try:
            leaves = [page - 1 for (page,) in connection.execute(query)]
        except sqlite3.OperationalError:
            pytest.skip("this SQLite cannot tell its pages apart")
    overwrite(path, leaves[len(leaves) // 2])
    overwrite(path, root_page(path, "impression"))
    store = JournalStore(path, StandingClock(), StoreLimits())
    store.write([impression(1)], {})
    store.close()
    after = _places(path)
    assert 250 < len(after) < 300
    assert after == {outcome: before[outcome] for outcome in after}


def _places(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT outcome_id, rowid FROM outcome"))


def test_a_file_damaged_while_it_is_open_costs_no_answer(path: Path) -> None:
    """T14: the write that finds the damage is repeated on the new file, in the same call."""
    fill(path)
    store = JournalStore(path, StandingClock(), StoreLimits())
    store.open()
    for page in range(path.stat().st_size // _PAGE):
        overwrite(path, page)
    answers = [store.write([new_outcome(9000 + number)], {})[0] for number in range(3)]
    assert all(isinstance(answer, StoredOutcome) for answer in answers)
    assert store.settings == {"menu": "kept"}, "settings are in memory as well"
    store.close()
    assert is_sound(path)


def test_a_disk_that_damages_every_file_is_no_loop(path: Path) -> None:
    """T14: after three files of one run it counts as a disk that refuses."""
    store = JournalStore(path, StandingClock(), StoreLimits(max_set_aside=3))
    for _ in range(3):
        store.close()
        path.write_bytes(b"no database " * 1000)
        store.write([new_outcome(1)], {})
    store.close()
    path.write_bytes(b"no database " * 1000)
    for _ in range(5):
        with pytest.raises(sqlite3.DatabaseError):
            store.write([new_outcome(1)], {})
    assert len(damaged_files(path)) == 3


def test_saved_sales_wait_for_a_disk_that_refuses_them(path: Path) -> None:
    """T12, T14: damaged and full at once; they move on when there is room again."""
    fill(path)
    overwrite(path, root_page(path, "impression"))
    disk = faulty_connection()
    store = JournalStore(path, StandingClock(), StoreLimits(), disk)
    disk.fault, disk.at = FULL, "INSERT INTO outcome"
    for _ in range(3):
        with pytest.raises(sqlite3.Error):
            store.write([impression(1)], {})
    disk.fault = None
    answers = store.write([new_outcome(number) for number in range(300)], {})
    assert all(isinstance(answer, StoredOutcome) and answer.repeated for answer in answers)
    assert store.counts["sales"] == 300
    assert len(damaged_files(path)) == 1
    store.close()


def test_old_damaged_files_make_room(path: Path) -> None:
    clock = StandingClock()
    for _ in range(5):
        clock.advance(1000)
        path.write_bytes(b"no database " * 1000)
        store = JournalStore(path, clock, StoreLimits())
        store.write([new_outcome(1)], {})
        store.close()
    assert len(damaged_files(path)) == 3


def test_a_crash_is_noticed_and_every_page_read(path: Path) -> None:
    """T13: only then, as reading a large journal takes time; a log left behind tells of it."""
    fill(path)
    overwrite(path, root_page(path, "displayed"))
    store = JournalStore(path, StandingClock(), StoreLimits())
    store.open()
    assert damaged_files(path) == []
    store.write([Setting("menu", "kept")], {})
    after_crash = JournalStore(path, StandingClock(), StoreLimits())
    after_crash.open()  # while the first is still open: its log is there, as kill -9 leaves it
    assert len(damaged_files(path)) == 1
    after_crash.close()
    store.close()


def test_after_an_error_the_file_is_opened_anew(path: Path) -> None:
    """T14: once an fsync has failed, only what is read back from the disk can be believed."""
    disk = faulty_connection()
    store = JournalStore(path, StandingClock(), StoreLimits(), disk)
    store.write([new_outcome(1)], {})
    before = store._database
    disk.fault = BROKEN
    with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
        store.write([new_outcome(2)], {})
    disk.fault = None
    answers = store.write([new_outcome(1), new_outcome(2)], {})
    assert [isinstance(answer, StoredOutcome) and answer.repeated for answer in answers] == [True, False]
    assert store._database is not before
    assert store.counts["sales"] == 2
    store.close()


def test_what_is_too_old_goes_and_is_counted(path: Path) -> None:
    clock = StandingClock()
    store = JournalStore(path, clock, StoreLimits(max_age_ms=_DAY_MS))
    store.write([impression(1), new_outcome(1)], {})
    clock.advance(_DAY_MS / 2)
    young = replace(new_outcome(2), stored_at_ms=clock.ms)
    store.write([impression(2, shown_at_ms=clock.ms), young], {})
    clock.advance(_DAY_MS / 2 + 10)
    store.tidy()
    assert store.counts["expired"] == 2
    repeated = [answer.repeated for answer in store.write([young, new_outcome(1)], {}) if answer]  # type: ignore[union-attr]
    assert repeated == [True, False]
    store.close()


def test_what_a_clock_without_battery_stamped_is_not_too_old(path: Path) -> None:
    """T15: sold on 1 January 2000 until the network set the clock right; the sale was an hour ago."""
    clock = StandingClock(ms=946_684_800_000)
    store = JournalStore(path, clock, StoreLimits(max_age_ms=_DAY_MS))
    sale = replace(new_outcome(1), stored_at_ms=clock.ms)
    store.write([impression(1, shown_at_ms=clock.ms), sale], {})
    clock.ms = START_MS
    store.tidy()
    assert store.counts["expired"] == 0
    (answer,) = store.write([sale], {})
    assert isinstance(answer, StoredOutcome)
    assert answer.repeated
    store.close()


def test_beyond_its_size_the_oldest_slates_go_and_sales_stay(path: Path) -> None:
    """T12: the policy as `max_mb` states it."""
    limit = 200_000
    store = JournalStore(path, StandingClock(), StoreLimits(max_bytes=limit))
    store.write([impression(number) for number in range(500)], {})
    store.write([new_outcome(number) for number in range(100)], {})
    store.tidy()
    assert store.counts["thinned"] > 100
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM outcome").fetchone() == (100,)
        oldest, newest = connection.execute(
            "SELECT min(shown_at_ms), max(shown_at_ms) FROM impression"
        ).fetchone()
    assert newest == START_MS + 499
    assert oldest == START_MS + store.counts["thinned"]


def test_sales_alone_are_never_thinned_out(path: Path) -> None:
    store = JournalStore(path, StandingClock(), StoreLimits(max_bytes=10))
    store.write([new_outcome(1)], {})
    store.tidy()
    assert store.counts["thinned"] == 0
    assert store.counts["sales"] == 1
    store.close()
