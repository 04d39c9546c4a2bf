"""Records of the journal in the words of the wire."""

from dataclasses import replace

import pytest

from edge_agent.impression import Offer, Outcome, SoldLine
from edge_agent.uplink.harvest import (
    Cursors,
    JournalDamage,
    JournalImpression,
    JournalOutcome,
    interaction_payload,
    is_settled,
    outcome_payload,
    settled,
)
from tests.builders.records import interaction_id
from tests.builders.uplink import PaperDesk
from wire_protocol.errors import RefusedMessage
from wire_protocol.messages import ContextEntry, Offered, Sold

SHOP = PaperDesk()
SHOP.executor.shutdown()
SLATE = JournalImpression(1, SHOP.impression(), bought=False, displayed_at_ms=77)
SALE = JournalOutcome(
    1, interaction_id(9), Outcome("key", interaction_id(1), "ab" * 32, (SoldLine("mango", 2),), 5, 900), 6
)


def test_everything_that_measurement_needs_goes_over_the_wire() -> None:
    """Names become entries, unknown values stay unknown."""
    payload = interaction_payload(SLATE, "rimini")
    assert payload.interaction == SLATE.impression.interaction_id.bytes
    assert payload.slate[0] == Offered("mango", 0.5)
    assert payload.context == (
        ContextEntry("hour", 12.5),
        ContextEntry("weekday", 3.0),
        ContextEntry("temperature_c"),
        ContextEntry("shop", text="beach"),
    )
    assert (payload.displayed_at, payload.scores, payload.store) == (77, (2.0, 1.0, 0.5, 0.25), "rimini")


def test_a_sale_carries_its_hmac_and_lines() -> None:
    """The receipt id itself was never recorded."""
    payload = outcome_payload(SALE, "rimini")
    assert payload.receipt_hmac == bytes.fromhex("ab" * 32)
    assert payload.lines == (Sold("mango", 2),)
    assert payload.outcome == interaction_id(9).bytes
    assert payload.interaction == interaction_id(1).bytes


def test_what_does_not_fit_the_protocol_is_refused_here() -> None:
    """It would only be refused above."""
    wrong = replace(SLATE.impression, slate=(Offer("Mango!", "Mango", 0.5),))
    with pytest.raises(RefusedMessage):
        interaction_payload(replace(SLATE, impression=wrong), "rimini")
    with pytest.raises(ValueError, match="fromhex"):
        outcome_payload(replace(SALE, outcome=replace(SALE.outcome, receipt_hmac="zz")), "rimini")


def test_a_slate_waits_until_its_interaction_is_over_t15() -> None:
    """T15: bought, or old, or from a future that a clock only dreamed of."""
    shown_ms = SLATE.impression.shown_at_ms
    assert not is_settled(SLATE, shown_ms + 599_999, 600_000)
    assert is_settled(SLATE, shown_ms + 600_000, 600_000)
    assert is_settled(replace(SLATE, bought=True), shown_ms, 600_000)
    assert is_settled(SLATE, shown_ms - 86_400_000 * 365, 600_000)


def test_records_go_in_order_and_damage_holds_nobody_up() -> None:
    """What follows an open interaction waits with it."""
    sold, damaged = replace(SLATE, bought=True), JournalDamage(2, "torn")
    now_ms = SLATE.impression.shown_at_ms
    assert settled((sold, damaged, SLATE, sold), now_ms, 600_000) == (sold, damaged)


def test_cursors_that_cannot_be_read_begin_anew() -> None:
    """Repeating is harmless: message ids are the records' own."""
    assert Cursors.of({"harvest.impressions": "7", "harvest.outcomes": "x"}) == Cursors(7, 0)
    assert Cursors.of({}) == Cursors(0, 0)
    kept = Cursors(7, 9).as_settings()
    assert Cursors.of(kept) == Cursors(7, 9)
