"""The state of the releases on disk, in every condition."""

import sqlite3
from itertools import product
from pathlib import Path

import pytest

from edge_agent.adapters.updates.state_sqlite import COPY_FILE, STATE_FILE, UNKNOWN_FLOOR, SqliteState
from edge_agent.updates import transitions
from edge_agent.updates.choice import BESTSELLERS, candidates
from edge_agent.updates.errors import StateError
from edge_agent.updates.facts import Facts
from tests.builders.records import StandingClock
from tests.builders.update_facts import good, ordered, verified


def store(folder: Path, **more: type[sqlite3.Connection]) -> SqliteState:
    return SqliteState(folder / "updates", StandingClock(), **more)


def raised(facts: Facts, floor: int) -> Facts:
    return transitions.looked(facts, verified(floor=floor), facts.generation)


def test_nothing_is_written_before_there_is_something_to_keep(tmp_path: Path) -> None:
    """A register without releases has no folder for them."""
    one = store(tmp_path)
    assert one.load() == Facts()
    one.close()
    assert list(tmp_path.iterdir()) == []


def test_what_was_saved_is_there_after_a_restart(tmp_path: Path) -> None:
    """The newest, for the owner only, and a second copy beside it."""
    one = store(tmp_path)
    for facts in (good(1), good(1, 2)):
        one.save(facts)
    one.close()
    one.close()
    again = store(tmp_path)
    assert again.load() == good(1, 2)
    again.close()
    assert (tmp_path / "updates").stat().st_mode & 0o077 == 0
    assert {path.name for path in (tmp_path / "updates").iterdir()} == {STATE_FILE, COPY_FILE}


def spoil(path: Path, how: str) -> None:
    match how:
        case "zeroed":
            path.write_bytes(bytes(path.stat().st_size))
        case "truncated":
            path.write_bytes(path.read_bytes()[:100])
        case "empty":
            path.write_bytes(b"")
        case "overwritten":
            path.write_bytes(b"\xa5" * path.stat().st_size)
        case "gone":
            path.unlink()


@pytest.mark.parametrize(
    ("file", "how"),
    list(product((STATE_FILE, COPY_FILE), ("zeroed", "truncated", "empty", "overwritten", "gone"))),
)
def test_either_copy_alone_is_enough(tmp_path: Path, file: str, how: str) -> None:
    """T8, T13, T14: one file zeroed, cut off or lost: nothing is forgotten, and it can be written again."""
    facts = raised(good(1, 2), 2)
    one = store(tmp_path)
    one.save(facts)
    one.close()
    spoil(tmp_path / "updates" / file, how)
    again = store(tmp_path)
    assert again.load() == facts
    newer = ordered(facts, 30, 4)
    again.save(newer)
    again.close()
    third = store(tmp_path)
    assert third.load() == newer
    third.close()


@pytest.mark.parametrize(
    ("how", "copy"),
    [("zeroed", "zeroed"), ("truncated", "truncated"), ("overwritten", "overwritten"), ("empty", "gone")],
)
def test_with_both_lost_nothing_below_an_unknown_floor_runs(tmp_path: Path, how: str, copy: str) -> None:
    """T8: not even the installed model; the cloud's order is taken again, and releases are verified anew."""
    one = store(tmp_path)
    one.save(raised(good(1, 2), 2))
    one.close()
    spoil(tmp_path / "updates" / STATE_FILE, how)
    spoil(tmp_path / "updates" / COPY_FILE, copy)
    again = store(tmp_path)
    facts = again.load()
    assert facts == Facts(floor=UNKNOWN_FLOOR)
    assert candidates(facts) == (BESTSELLERS,)
    again.save(ordered(facts, 3, 2))
    again.close()


def test_the_floor_is_the_higher_of_both_copies(tmp_path: Path) -> None:
    """T8: the copy is written first, so a power cut in between leaves it ahead."""
    one = store(tmp_path)
    one.save(good(1, 2))
    database = (tmp_path / "updates" / STATE_FILE).read_bytes()
    one.save(raised(good(1, 2), 2))
    one.close()
    (tmp_path / "updates" / STATE_FILE).write_bytes(database)
    again = store(tmp_path)
    assert again.load().floor == 2
    again.close()


class Full(sqlite3.Connection):
    """A disk without room."""

    def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:  # type: ignore[override]
        if "INSERT INTO state" in sql:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return super().execute(sql, *parameters)  # type: ignore[arg-type]


def test_a_full_disk_is_told_and_changes_nothing_in_the_database(tmp_path: Path) -> None:
    """T12: StateError with a remedy; what was there stays."""
    one = store(tmp_path)
    one.save(good(1))
    one.close()
    full = store(tmp_path, connection_class=Full)
    with pytest.raises(StateError) as refusal:
        full.save(good(1, 2))
    assert refusal.value.remedy
    full.close()
    again = store(tmp_path)
    assert again.load() == good(1)
    again.close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file stands in its place."""
    (tmp_path / "updates").write_text("")
    with pytest.raises(StateError):
        store(tmp_path).save(good(1))
