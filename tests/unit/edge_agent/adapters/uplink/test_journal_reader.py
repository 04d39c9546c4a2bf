"""From the real journal through the harvest into a spool."""

from pathlib import Path
from uuid import UUID

import pytest

from edge_agent.adapters.journal_sqlite import SqliteJournal
from edge_agent.adapters.uplink.journal_reader import SqliteJournalReader
from edge_agent.impression import Displayed, Outcome, SoldLine
from edge_agent.uplink.harvest_loop import Harvest, JournalUnreadableError
from edge_agent.uplink.lanes import Lane
from tests.builders.records import seeded_randomness
from tests.builders.uplink import PaperDesk
from wire_protocol.messages import InteractionUp, OutcomeUp
from wire_protocol.topics import Topic


def test_what_was_recorded_is_spooled_once_and_read_back_as_it_was(tmp_path: Path) -> None:
    """Slates when they are settled, sales at once; the cursor moves with the spool's transaction."""
    shop = PaperDesk()
    journal = SqliteJournal(tmp_path / "journal.db", clock=shop.clock, randomness=seeded_randomness(5))
    sold, open_one = shop.impression(1), shop.impression(2)
    journal.impression(sold)
    journal.displayed(Displayed(sold.interaction_id, 123))
    journal.impression(open_one)
    stored = journal.outcome(Outcome("k", sold.interaction_id, "ab" * 32, (SoldLine("mango", 1),), 5))
    journal.close()
    harvest = Harvest(
        SqliteJournalReader(tmp_path / "journal.db"), shop.spool, shop.packager, 600_000, shop.clock.now_ms
    )
    assert harvest.step() == (2, False)
    assert harvest.step() == (0, False)
    read = {}
    for entry in shop.spool.candidates(Lane.EVENTS, 0, 9):
        message = shop.spool.load(entry.message_id)
        assert message is not None
        verified = shop.cloud.verify(str(Topic(shop.packager.identity, entry.kind)), message)
        read[type(verified.payload)] = verified.payload
    slate, sale = read[InteractionUp], read[OutcomeUp]
    assert UUID(bytes=slate.interaction) == sold.interaction_id
    assert (slate.displayed_at, slate.scores, slate.propensity) == (123, sold.scores, sold.propensity)
    assert UUID(bytes=sale.outcome) == stored.outcome_id
    shop.clock.advance(600_001)
    assert harvest.step() == (1, False)
    shop.executor.shutdown()


def test_a_journal_that_began_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    """A damaged journal was set aside: its successor's rows begin at 1, below the cursor."""
    shop = PaperDesk()
    journal = SqliteJournal(tmp_path / "journal.db", clock=shop.clock, randomness=seeded_randomness(5))
    journal.impression(shop.impression(1))
    journal.close()
    reader = SqliteJournalReader(tmp_path / "journal.db")
    assert len(reader.impressions(900, 9)) == 1
    assert reader.impressions(1, 9) == ()
    shop.executor.shutdown()


def test_a_journal_that_began_anew_loses_no_slate_while_its_first_is_open(tmp_path: Path) -> None:
    """The cursor of the old one is forgotten at once, not when the new one's rows have grown past it."""
    shop = PaperDesk()

    def record(*numbers: int) -> None:
        journal = SqliteJournal(tmp_path / "journal.db", clock=shop.clock, randomness=seeded_randomness(5))
        for number in numbers:
            journal.impression(shop.impression(number))
        journal.close()

    reader = SqliteJournalReader(tmp_path / "journal.db")
    harvest = Harvest(reader, shop.spool, shop.packager, 600_000, shop.clock.now_ms)
    record(1, 2, 3)
    shop.clock.advance(600_001)
    assert harvest.step() == (3, False)
    for file in tmp_path.glob("journal.db*"):
        file.unlink()
    record(11)
    assert harvest.step() == (0, False)
    record(12, 13, 14, 15, 16)
    shop.clock.advance(600_001)
    assert harvest.step() == (6, False)
    shop.executor.shutdown()


def test_a_journal_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    """As one that is locked or damaged: the records wait."""
    with pytest.raises(JournalUnreadableError):
        SqliteJournalReader(tmp_path / "journal.db").outcomes(0, 1)
