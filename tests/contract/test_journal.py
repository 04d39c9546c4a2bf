"""What every journal promises, held against the one on disk and the one in memory."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edge_agent.adapters.journal_sqlite import SqliteJournal
from edge_agent.errors import ConflictError
from edge_agent.impression import Displayed, SoldLine
from edge_agent.memory_journal import MemoryJournal
from edge_agent.ports import Journal
from tests.builders.records import (
    START_MS,
    StandingClock,
    impression,
    interaction_id,
    outcome,
    seeded_randomness,
)

Factory = Callable[[Path], Journal]


def _on_disk(folder: Path) -> Journal:
    return SqliteJournal(folder / "journal.db", clock=StandingClock(), randomness=seeded_randomness())


def _in_memory(folder: Path) -> Journal:
    return MemoryJournal(StandingClock(), seeded_randomness())


@pytest.fixture(params=[_on_disk, _in_memory], ids=["sqlite", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    made: Journal = request.param(tmp_path)
    yield made
    made.close()


def test_a_new_journal_is_empty(journal: Journal) -> None:
    counts = journal.counts()
    assert [counts[name] for name in ("impressions", "outcomes", "sales", "dropped")] == [0, 0, 0, 0]
    assert journal.setting("menu") is None
    assert not journal.knows(interaction_id(1))


def test_an_impression_is_known_at_once(journal: Journal) -> None:
    """Before it is durable as well as after."""
    journal.impression(impression(1))
    assert journal.knows(interaction_id(1))
    journal.outcome(outcome())
    assert journal.knows(interaction_id(1))


def test_an_outcome_is_answered_with_its_id_and_time(journal: Journal) -> None:
    stored = journal.outcome(outcome())
    assert not stored.repeated
    assert stored.stored_at_ms == START_MS
    assert stored.outcome_id.version == 7


def test_a_repetition_gets_the_first_answer(journal: Journal) -> None:
    """The time may differ: a till repeats a request seconds later."""
    first = journal.outcome(outcome())
    again = journal.outcome(outcome(at_ms=START_MS + 5000, since_shown_ms=7))
    assert again.repeated
    assert (again.outcome_id, again.stored_at_ms) == (first.outcome_id, first.stored_at_ms)


@pytest.mark.parametrize(
    "change",
    [
        {"lines": (SoldLine("mango", 2),)},
        {"receipt_hmac": "ef" * 32},
        {"interaction_id": interaction_id(9)},
    ],
)
def test_a_key_with_other_content_is_a_conflict(journal: Journal, change: dict[str, object]) -> None:
    first = journal.outcome(outcome())
    with pytest.raises(ConflictError, match="was used for another sale"):
        journal.outcome(outcome(**change))
    assert journal.outcome(outcome()).outcome_id == first.outcome_id


def test_a_conflict_harms_nobody_beside_it(journal: Journal) -> None:
    journal.outcome(outcome("a"))
    with pytest.raises(ConflictError):
        journal.outcome(outcome("a", receipt_hmac="00" * 32))
    assert not journal.outcome(outcome("b")).repeated


def test_counts_tell_slates_their_sales_and_other_sales_apart(journal: Journal) -> None:
    for number in range(3):
        journal.impression(impression(number))
    journal.impression(impression(0))  # a second time is the same record
    journal.displayed(Displayed(interaction_id(0), START_MS))
    journal.outcome(outcome("a", interaction_id=interaction_id(0)))
    journal.outcome(outcome("a", interaction_id=interaction_id(0)))
    journal.outcome(outcome("b"))
    counts = journal.counts()
    assert [counts[name] for name in ("impressions", "outcomes", "sales", "dropped")] == [3, 1, 1, 0]


def test_an_outcome_of_an_interaction_that_nobody_recorded_is_accepted(journal: Journal) -> None:
    assert not journal.outcome(outcome(interaction_id=interaction_id(404))).repeated


def test_the_last_setting_counts(journal: Journal) -> None:
    journal.save_setting("menu", "one")
    journal.save_setting("menu", "two")
    assert journal.setting("menu") == "two"


def test_many_threads_get_one_answer_for_one_key(journal: Journal) -> None:
    """Exactly one of them stores it."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: journal.outcome(outcome()), range(32)))
    assert len({answer.outcome_id for answer in answers}) == 1
    assert sum(not answer.repeated for answer in answers) == 1


def test_closing_twice_is_harmless(journal: Journal) -> None:
    journal.close()
    journal.close()
