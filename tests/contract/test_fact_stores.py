"""One suite over the facts' store on disk and the one in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.adapters.updates.state_sqlite import SqliteState
from edge_agent.updates.facts import Facts
from edge_agent.updates.ports import FactStore
from tests.builders.records import StandingClock
from tests.builders.update_facts import good, ordered
from tests.builders.update_register import MemoryFacts


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FactStore]:
    store: FactStore = (
        MemoryFacts() if request.param == "memory" else SqliteState(tmp_path / "updates", StandingClock())
    )
    yield store
    store.close()


def test_a_store_begins_empty(store: FactStore) -> None:
    """No facts, no error."""
    assert store.load() == Facts()


def test_the_last_save_counts(store: FactStore) -> None:
    """The whole of it, and nothing of those before."""
    for facts in (good(1, 2), good(1), ordered(good(3), 7, 4, shadow=2)):
        store.save(facts)
        assert store.load() == facts


def test_closing_twice_is_closing(store: FactStore) -> None:
    """As the port says."""
    store.save(good(1))
    store.close()
    store.close()
