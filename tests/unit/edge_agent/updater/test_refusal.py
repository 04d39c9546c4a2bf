"""A refusal fits into a message, whatever a hostile file made its words."""

import pytest

from edge_agent.updater.refusal import Refusal
from edge_agent.updates.errand import WORDS_MAX, frame
from edge_agent.updates.facts import printable
from wire_protocol.fleet_messages import UpdateReason


@pytest.mark.parametrize("reason", UpdateReason, ids=lambda reason: reason.value)
def test_every_reason_can_be_told(reason: UpdateReason) -> None:
    """With the remedy of its table."""
    refusal = Refusal(reason, "one\n\ttwo \x1b[31m" + "ö" * 500)
    assert refusal.remedy
    told = refusal.failed(None)
    assert told.reason is reason
    assert frame(told)


def test_words_are_one_printable_line() -> None:
    """No control characters reach a page or a terminal."""
    assert printable("a\n b\x1b[1m \u202e") == "a b?[1m ?"
    assert len(printable("x" * 1000)) == WORDS_MAX
