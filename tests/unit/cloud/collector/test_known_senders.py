"""What is remembered of senders, and for how long."""

import pytest

from cloud.collector.known_senders import KEPT_MS, KnownSenders
from cloud.errors import DatabaseAway
from tests.builders.frame_sender import Sender
from tests.builders.paper_collector import NOW, PaperCollector


async def test_it_asks_once_in_two_seconds() -> None:
    """And then again, so that a revocation acts."""
    paper, sender = PaperCollector(), Sender()
    paper.enrol(sender)
    known = KnownSenders(paper.directory)
    for now_ms in (NOW, NOW + 1, NOW + KEPT_MS - 1):
        senders = await known.of("acme", ["till-1"], now_ms)
        assert set(senders.registers) == {"till-1"}
    assert paper.directory.asked == 1
    await known.of("acme", ["till-1"], NOW + KEPT_MS)
    assert paper.directory.asked == 2
    await known.of("acme", ["till-1"], NOW + KEPT_MS, afresh=True)
    assert paper.directory.asked == 3


async def test_a_clock_that_steps_back_does_not_keep_it_for_longer() -> None:
    """What was asked in the future is asked again."""
    paper, sender = PaperCollector(), Sender()
    paper.enrol(sender)
    known = KnownSenders(paper.directory)
    await known.of("acme", ["till-1"], NOW)
    await known.of("acme", ["till-1"], NOW - 10**9)
    assert paper.directory.asked == 2


async def test_the_unknown_are_remembered_too() -> None:
    """A stranger costs one question in two seconds; nobody is made of it."""
    paper = PaperCollector()
    known = KnownSenders(paper.directory)
    for _ in range(3):
        senders = await known.of("acme", ["till-1"], NOW)
        assert (senders.tenant, senders.registers) == (None, {})
    assert paper.directory.asked == 1


async def test_an_old_answer_is_no_answer() -> None:
    """Fail closed: while the database is away, nobody is let in on what was true two seconds ago."""
    paper, sender = PaperCollector(), Sender()
    paper.enrol(sender)
    known = KnownSenders(paper.directory)
    await known.of("acme", ["till-1"], NOW)
    paper.directory.away = True
    await known.of("acme", ["till-1"], NOW + 1)
    with pytest.raises(DatabaseAway):
        await known.of("acme", ["till-1"], NOW + KEPT_MS)
