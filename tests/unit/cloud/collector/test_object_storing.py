"""Which version a claim ends with: a new one, or one that an earlier attempt left."""

import pytest

from cloud.collector.object_storing import ADOPTION_MARGIN_MS, metadata_of, store_version
from cloud.collector.values import Claim
from tests.builders.frame_sender import Sender
from tests.builders.ledgers import offer_of
from tests.builders.paper_collector import NOW, PaperCollector

AFTER = 600_000
YOUNG = AFTER - ADOPTION_MARGIN_MS
SENDER = Sender()
OFFER = offer_of(SENDER, SENDER.frame(), NOW)
KEY = "frames/acme/2026/09/21/x"


def claim(*, takeover: bool) -> Claim:
    return Claim(KEY, NOW + 30_000, NOW + 10**9, takeover)


async def stored(paper: PaperCollector, *, takeover: bool, age_ms: int = 0) -> str:
    return await store_version(
        paper.objects, OFFER, claim(takeover=takeover), now_ms=NOW + age_ms, sweep_after_ms=AFTER
    )


async def test_a_first_claim_looks_for_nothing() -> None:
    """It puts the message itself, named and tagged."""
    paper = PaperCollector()
    version = await stored(paper, takeover=False)
    store = paper.objects.store
    assert store.get(KEY, version).body == OFFER.message.message
    assert store.metadata(KEY, version) == metadata_of(OFFER)
    assert store.tags(KEY, version) == {"tenant": "acme", "retention": "d365"}


@pytest.mark.parametrize(("age_ms", "adopted"), [(0, True), (YOUNG - 1, True), (YOUNG, False)])
async def test_a_takeover_adopts_what_is_young_enough(age_ms: int, adopted: bool) -> None:  # noqa: FBT001
    """What is older may be deleted by the sweeper at any moment (T4)."""
    paper = PaperCollector()
    left = paper.objects.store.put(KEY, OFFER.message.message, metadata_of(OFFER), {})
    assert (await stored(paper, takeover=True, age_ms=age_ms) == left) is adopted


@pytest.mark.parametrize("field", ["register", "message-id", "sha256"])
async def test_anothers_version_is_not_adopted(field: str) -> None:
    """Frames of one interaction share a key; each has metadata of its own (T3)."""
    paper = PaperCollector()
    other = paper.objects.store.put(KEY, b"x", {**metadata_of(OFFER), field: "other"}, {})
    longer = paper.objects.store.put(KEY + "1", b"x", metadata_of(OFFER), {})
    assert await stored(paper, takeover=True) not in {other, longer}
