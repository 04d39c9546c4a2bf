"""Asking, answering, running out of time: what becomes of the picture in each case."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import numpy as np
import pytest

from edge_agent.errors import ConflictError, NoBlanksError, NothingToAnswerError, UnknownNoticeError
from edge_agent.impression import Reason
from edge_agent.uplink.accounting import DropReason
from edge_agent.uplink.consent_loop import Answer
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.lanes import Lane
from tests.builders.uplink import PaperDesk
from wire_protocol.consent import Purpose
from wire_protocol.topics import Up

NO = Answer(None)


@pytest.fixture
def shop() -> Iterator[PaperDesk]:
    made = PaperDesk()
    yield made
    made.executor.shutdown()


async def asked(shop: PaperDesk, seed: int = 1, **fields: object) -> UUID:
    impression = shop.impression(seed, **fields)
    shop.consents.keep(impression, shop.frame(seed))
    await asyncio.sleep(0)  # the copy is made after the till has its answer
    return impression.interaction_id


def held_pixels(shop: PaperDesk, interaction_id: UUID) -> np.ndarray:
    return shop.consents._hold._held[interaction_id].pixels


async def counted(shop: PaperDesk) -> None:
    await shop.consents.settle()
    await shop.consents._write_ended()


async def test_a_yes_is_durable_before_it_is_answered_and_its_picture_is_sealed(shop: PaperDesk) -> None:
    """T26: both are spooled, the frame opens with the blank's key only, memory is overwritten."""
    interaction_id = await asked(shop)
    pixels = held_pixels(shop, interaction_id)
    granted, repeated = await shop.consents.answer(interaction_id, shop.yes())
    assert granted is not None
    assert not repeated
    (consent,) = shop.spool.candidates(Lane.CONSENTS, 0, 9)
    await counted(shop)
    (frame,) = shop.spool.candidates(Lane.FRAMES, 0, 9)
    message = shop.spool.load(frame.message_id)
    assert message is not None
    verified = shop.cloud.verify(str(shop.packager.topic(Up.FRAME)), message)
    assert shop.cloud.open_frame(verified).startswith(b"\xff\xd8\xff")
    assert b"\xff\xd8\xff" not in message
    assert not pixels.any()
    assert shop.told == ["blank", Lane.CONSENTS, Lane.FRAMES]
    assert shop.events.heard[-1][1]["state"] == "granted"
    assert granted.withdrawal_code not in str(shop.events.heard)
    assert consent.consent is None
    account = shop.frames()
    assert (account.captured, account.spooled, account.lost) == (1, 1, 0)


@pytest.mark.parametrize("how", ["no", "late", "stop"])
async def test_without_a_yes_the_picture_is_overwritten_and_counted_t26(shop: PaperDesk, how: str) -> None:
    """T26: a no, silence and the end of the agent all leave zeros, and nothing in the spool."""
    interaction_id = await asked(shop)
    pixels = held_pixels(shop, interaction_id)
    assert pixels.any()
    if how == "no":
        assert await shop.consents.answer(interaction_id, NO) == (None, False)
    running = asyncio.create_task(shop.consents.run())
    await asyncio.sleep(0)
    if how == "late":
        shop.clock.advance(60_001)
        with pytest.raises(NothingToAnswerError):
            await shop.consents.answer(interaction_id, shop.yes())
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await counted(shop)
    assert not pixels.any()
    assert shop.consents.held == 0
    account = shop.frames()
    assert (account.captured, account.without_consent, account.lost) == (1, 1, 0)


async def test_the_same_answer_gets_the_same_consent_and_the_opposite_is_refused(shop: PaperDesk) -> None:
    """Also while the first is still being written."""
    interaction_id = await asked(shop)
    first, second = await asyncio.gather(
        shop.consents.answer(interaction_id, shop.yes()), shop.consents.answer(interaction_id, shop.yes())
    )
    assert first[0] == second[0]
    assert sorted((first[1], second[1])) == [False, True]
    assert shop.consents.answered(interaction_id) == first[0]
    with pytest.raises(ConflictError):
        await shop.consents.answer(interaction_id, NO)
    await counted(shop)
    assert len(shop.spool.candidates(Lane.CONSENTS, 0, 9)) == 1


async def test_without_a_blank_nobody_is_asked_and_a_yes_is_refused() -> None:
    """No blank, no key: the customer is not asked in vain, and what was held is overwritten and counted."""
    shop = PaperDesk(blanks=0)
    await asked(shop)
    assert shop.consents.held == 0
    assert shop.events.heard == []
    shop.consents.count_blanks(1)  # a stale count: the stock decides
    interaction_id = await asked(shop, 2)
    pixels = held_pixels(shop, interaction_id)
    with pytest.raises(NoBlanksError):
        await shop.consents.answer(interaction_id, shop.yes())
    await counted(shop)
    assert not pixels.any()
    assert shop.frames().dropped == {DropReason.UNSEALED: 2}
    assert shop.frames().lost == 0
    shop.executor.shutdown()


async def test_a_full_disk_grants_nothing_and_keeps_nothing_t12(shop: PaperDesk) -> None:
    """T12: the answer is an error, the picture is gone, and the count is written when the disk is back."""
    interaction_id = await asked(shop)
    pixels = held_pixels(shop, interaction_id)
    shop.spool.fault = SpoolError("disk full")
    with pytest.raises(SpoolError):
        await shop.consents.answer(interaction_id, shop.yes())
    await shop.consents._write_ended()
    assert not pixels.any()
    shop.spool.fault = None
    await counted(shop)
    assert shop.frames().dropped == {DropReason.DISK: 1}
    assert shop.frames().lost == 0


async def test_another_notice_or_purpose_is_refused_and_the_question_stands(shop: PaperDesk) -> None:
    """T6: a consent to a text that was not shown is none."""
    interaction_id = await asked(shop)
    for wrong in (
        shop.yes(notice_sha256=bytes(32)),
        shop.yes(language="de", notice_sha256=shop.notices.choose("en").sha256),
        shop.yes(purposes=(Purpose.EVALUATION,)),
        shop.yes(purposes=()),
    ):
        with pytest.raises(UnknownNoticeError):
            await shop.consents.answer(interaction_id, wrong)
    assert shop.consents.held == 1
    assert shop.spool.candidates(Lane.CONSENTS, 0, 9) == ()


async def test_a_consent_that_does_not_cover_pictures_sends_none_t5() -> None:
    """T5: a yes to measuring alone keeps the consent and no picture."""
    shop = PaperDesk(purposes=("training", "evaluation"))
    interaction_id = await asked(shop)
    await shop.consents.answer(interaction_id, shop.yes(purposes=(Purpose.EVALUATION,)))
    await counted(shop)
    assert shop.spool.candidates(Lane.FRAMES, 0, 9) == ()
    assert len(shop.spool.candidates(Lane.CONSENTS, 0, 9)) == 1
    assert shop.frames().without_consent == 1
    shop.executor.shutdown()


async def test_what_the_sampling_leaves_out_is_overwritten_and_counted(shop: PaperDesk) -> None:
    """The rule sees first flavour and margin; the consent goes all the same."""
    shop.sampler.wanted = False
    interaction_id = await asked(shop)
    await shop.consents.answer(interaction_id, shop.yes())
    await counted(shop)
    assert shop.frames().dropped == {DropReason.SAMPLED: 1}
    (looked_at,) = shop.sampler.asked
    assert (looked_at.first, looked_at.margin) == ("mango", 0.25)
    assert len(shop.spool.candidates(Lane.CONSENTS, 0, 9)) == 1


async def test_a_withdrawal_deletes_what_waits_and_tells_the_cloud(shop: PaperDesk) -> None:
    """The frame leaves the spool in the transaction that spools the withdrawal."""
    interaction_id = await asked(shop)
    granted, _ = await shop.consents.answer(interaction_id, shop.yes())
    assert granted is not None
    await counted(shop)
    await shop.consents.withdraw(granted.consent_id, granted.withdrawal_code.lower().replace("-", " "))
    assert shop.spool.candidates(Lane.FRAMES, 0, 9) == ()
    assert len(shop.spool.candidates(Lane.WITHDRAWALS, 0, 9)) == 1
    assert shop.frames().gone == 1
    assert shop.told[-2:] == [(granted.consent_id.bytes,), Lane.WITHDRAWALS]


async def test_few_pictures_wait_and_the_oldest_gives_way(shop: PaperDesk) -> None:
    """Memory is bounded whatever a till does; who gives way is told."""
    first = await asked(shop, 1)
    pixels = held_pixels(shop, first)
    for seed in range(2, 6):
        await asked(shop, seed)
    assert shop.consents.held == 4
    assert not pixels.any()
    assert ("consent", {"interaction_id": str(first), "state": "superseded"}) in shop.events.heard


async def test_where_nobody_stands_the_display_does_not_ask(shop: PaperDesk) -> None:
    """The till may still answer: it may see somebody whom the model did not."""
    interaction_id = await asked(shop, reason=Reason.NOBODY)
    assert shop.events.heard[-1][1]["ask_on_display"] is False
    granted, _ = await shop.consents.answer(interaction_id, shop.yes())
    assert granted is not None
    await shop.consents.settle()


async def test_when_a_customer_is_served_the_spool_does_what_can_wait(
    shop: PaperDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the frame is in the spool, not before; a disk that refuses then loses nothing."""
    frames_at_flush: list[int] = []

    def flush() -> None:
        frames_at_flush.append(len(shop.spool.candidates(Lane.FRAMES, 0, 9)))
        raise SpoolError("full", remedy="Free some space.")

    monkeypatch.setattr(shop.spool, "flush", flush)
    interaction_id = await asked(shop)
    await shop.consents.answer(interaction_id, shop.yes())
    await shop.consents.settle()
    monkeypatch.undo()
    assert frames_at_flush == [1]
    assert shop.frames().spooled == 1
