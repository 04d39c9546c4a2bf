"""Rounds of a batch, in which nothing meets itself."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.collector.answers import Work
from cloud.collector.offers import unique_rounds
from tests.builders.frame_sender import Sender
from tests.builders.ledgers import offer_of
from wire_protocol.messages import WithdrawalUp

SENDER = Sender()
NOW = SENDER.now_ms
BLANKS = [SENDER.blank() for _ in range(3)]
INTERACTION = SENDER.interaction()
RECEIPTS = [SENDER.receipt(blank, INTERACTION) for blank in BLANKS]
MESSAGES = [
    *(SENDER.frame(blank=blank, interaction=INTERACTION, receipt=receipt)
      for blank, receipt in zip(BLANKS, RECEIPTS, strict=True) for _ in range(2)),
    *(SENDER.withdrawal(blank.blank) for blank in BLANKS),
    SENDER.outcome(),
]  # fmt: skip
OFFERS = [(Work(sent.delivery(), sent.topic, NOW), offer_of(SENDER, sent, NOW)) for sent in MESSAGES]


@given(st.lists(st.sampled_from(range(len(OFFERS))), max_size=30))
def test_rounds_are_disjoint_complete_and_in_order(chosen: list[int]) -> None:
    """No message id and no consent twice in a round; what concerns one consent keeps its order."""
    batch = [OFFERS[index] for index in chosen]
    rounds = unique_rounds(batch)
    assert sorted(map(id, (offer for one in rounds for _, offer in one))) == sorted(
        map(id, (offer for _, offer in batch))
    )
    for one in rounds:
        ids = [offer.message.header.message_id for _, offer in one]
        consents = [consent for _, offer in one if (consent := consent_of(offer))]
        assert len(set(ids)) == len(ids)
        assert len(set(consents)) == len(consents)
    for blank in BLANKS:
        flat = [offer for one in rounds for _, offer in one if consent_of(offer) == blank.blank]
        assert flat == [offer for _, offer in batch if consent_of(offer) == blank.blank]


def consent_of(offer: object) -> bytes | None:
    payload = offer.message.payload  # type: ignore[attr-defined]
    if isinstance(payload, WithdrawalUp):
        return payload.consent
    return offer.consent.consent_id if offer.consent else None  # type: ignore[attr-defined]
