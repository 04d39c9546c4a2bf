"""A yes from a phone takes the way of a touch; whatever is wrong with it leaves nothing of the picture."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from edge_agent.errors import NoHandoverError, NothingToAnswerError
from edge_agent.uplink.anchors import open_down
from edge_agent.uplink.consent_loop import Answer
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.handover_desk import Result
from edge_agent.uplink.handover_loop import INBOX_MAX, ShownCode
from edge_agent.uplink.lanes import Lane
from tests.builders.scripted_cloud import IDENTITY
from tests.builders.uplink import PaperDesk
from wire_protocol import envelope
from wire_protocol.consent import Method, Purpose, verify_receipt
from wire_protocol.envelope import Header, KeyRecord
from wire_protocol.errors import RefusedMessage
from wire_protocol.handover_messages import HandoverDown, NoticeUp
from wire_protocol.topics import Down, Topic, Up


@pytest.fixture
def shop() -> Iterator[PaperDesk]:
    made = PaperDesk()
    yield made
    made.executor.shutdown()


async def asked(shop: PaperDesk, seed: int = 1) -> UUID:
    impression = shop.impression(seed)
    shop.consents.keep(impression, shop.frame(seed))
    await asyncio.sleep(0)  # the copy is made after the till has its answer
    return impression.interaction_id


async def shown(shop: PaperDesk, seed: int = 1) -> tuple[ShownCode, np.ndarray]:
    interaction_id = await asked(shop, seed)
    code = await shop.handovers.show(interaction_id)
    return code, shop.consents._hold._held[interaction_id].pixels


def yes_to(shop: PaperDesk, showing: ShownCode, **fields: object) -> HandoverDown:
    notice = shop.notices.choose("de")
    given = HandoverDown(
        handover=showing.code.handover,
        interaction=showing.code.interaction_id.bytes,
        purposes=(Purpose.TRAINING,),
        notice=notice.sha256,
        language=notice.language,
        granted_at=shop.clock.now_ms(),
        expires_at=showing.code.expires_at_ms,
    )
    return replace(given, **fields)  # type: ignore[arg-type] # the tests' own names


async def settled(shop: PaperDesk) -> None:
    await shop.consents.settle()
    await shop.consents._write_ended()


def spooled(shop: PaperDesk, lane: Lane) -> int:
    return len(shop.spool.candidates(lane, 0, 9))


async def test_a_yes_from_a_phone_is_sealed_as_a_touch_is(shop: PaperDesk) -> None:
    """Consent and frame are spooled, the receipt says `phone` and the text that was read, memory is zeros."""
    showing, pixels = await shown(shop)
    assert await shop.handovers.take(yes_to(shop, showing)) is Result.KEPT
    await settled(shop)
    (entry,) = shop.spool.candidates(Lane.CONSENTS, 0, 9)
    message = shop.spool.load(entry.message_id)
    assert message is not None
    unverified = envelope.parse(message, shop.packager.topic(Up.CONSENT))
    register_keys = {shop.packager.key.kid: KeyRecord(shop.packager.key.verification_key)}.get
    service_keys = {shop.cloud.consent_key.kid: KeyRecord(shop.cloud.consent_key.verification_key)}.get
    consent = verify_receipt(unverified.attachments[0], register_keys, service_keys).consent
    assert (consent.method, consent.language) == (Method.PHONE, "de")
    assert consent.notice == shop.notices.choose("de").sha256
    assert spooled(shop, Lane.FRAMES) == 1
    assert not pixels.any()
    assert dict(shop.events.heard[-1][1]) | {"consent_id": ""} == {
        "interaction_id": str(showing.code.interaction_id),
        "state": "granted",
        "method": "phone",
        "consent_id": "",
    }
    assert shop.handovers.results == {Result.KEPT: 1}


async def test_the_picture_waits_longer_only_with_a_code(shop: PaperDesk) -> None:
    """T26: 60 seconds without, 90 with one; then zeros, and a yes that comes later is late."""
    without = await asked(shop, 1)
    showing, pixels = await shown(shop, 2)
    lone = shop.consents._hold._held[without].pixels
    shop.clock.advance(60_001)
    assert not shop.consents.waits(without)
    assert not lone.any()
    assert shop.consents.waits(showing.code.interaction_id)
    assert pixels.any()
    shop.clock.advance(30_000)
    assert not shop.consents.waits(showing.code.interaction_id)
    assert not pixels.any()
    assert await shop.handovers.take(yes_to(shop, showing)) is Result.LATE
    await settled(shop)
    assert spooled(shop, Lane.CONSENTS) == spooled(shop, Lane.FRAMES) == 0
    assert shop.frames().without_consent == 2


async def test_an_interaction_has_one_code_and_its_end_is_told(shop: PaperDesk) -> None:
    """Two displays, or one that asks twice, show the same."""
    interaction_id = await asked(shop)
    first, second = await asyncio.gather(
        shop.handovers.show(interaction_id), shop.handovers.show(interaction_id)
    )
    assert first == second == await shop.handovers.show(interaction_id)
    assert first.svg == f"<svg>{first.code.address}</svg>"
    states = [data["state"] for kind, data in shop.events.heard if kind == "consent"]
    assert states == ["asked", "code"]
    assert shop.events.heard[0][1]["handover"] is True
    assert shop.handovers.seconds_left(first.code) <= 90


@pytest.mark.parametrize("wrong", ["offline", "no blank", "no picture"])
async def test_nobody_is_asked_in_vain(shop: PaperDesk, wrong: str) -> None:
    """Without connection, blank or picture there is no code, and the event says so."""
    if wrong == "offline":
        shop.is_connected = False
    interaction_id = await asked(shop)
    if wrong == "offline":
        assert shop.events.heard[0][1]["handover"] is False
    if wrong == "no blank":
        shop.consents.count_blanks(0)
    if wrong == "no picture":
        await shop.consents.answer(interaction_id, Answer(None))
    with pytest.raises(NothingToAnswerError if wrong == "no picture" else NoHandoverError):
        await shop.handovers.show(interaction_id)


@pytest.mark.parametrize(
    ("wrong", "result"),
    [
        ({"notice": bytes(32)}, Result.NOTICE),
        ({"language": "xx"}, Result.NOTICE),
        ({"purposes": (Purpose.EVALUATION,)}, Result.NOTICE),
        ({"interaction": bytes(16)}, Result.MISMATCH),
        ({"expires_at": 1}, Result.MISMATCH),
    ],
)
async def test_a_yes_to_something_else_keeps_nothing(
    shop: PaperDesk, wrong: dict[str, object], result: Result
) -> None:
    """T5: refused and counted, the picture overwritten, the code spent."""
    showing, pixels = await shown(shop)
    assert await shop.handovers.take(yes_to(shop, showing, **wrong)) is result
    assert not pixels.any()
    assert await shop.handovers.take(yes_to(shop, showing)) is Result.REPEATED
    await settled(shop)
    assert spooled(shop, Lane.CONSENTS) == spooled(shop, Lane.FRAMES) == 0
    assert shop.handovers.results == {result: 1, Result.REPEATED: 1}
    assert shop.events.heard[-1][1]["state"] == "failed"
    assert shop.frames().lost == 0


async def test_a_replayed_yes_changes_nothing(shop: PaperDesk) -> None:
    """T5: the cloud sends again until it has the consent; one consent comes of it."""
    showing, _ = await shown(shop)
    given = yes_to(shop, showing)
    assert await shop.handovers.take(given) is Result.KEPT
    assert await shop.handovers.take(given) is Result.REPEATED
    await settled(shop)
    assert spooled(shop, Lane.CONSENTS) == spooled(shop, Lane.FRAMES) == 1


async def test_codes_are_void_after_a_restart(shop: PaperDesk) -> None:
    """The picture went with the register's memory, and so did the code."""
    showing, pixels = await shown(shop)
    shop.handovers = shop.new_handovers()
    assert await shop.handovers.take(yes_to(shop, showing)) is Result.UNKNOWN
    assert pixels.any()  # of this test's own memory: nobody gave it up
    assert spooled(shop, Lane.CONSENTS) == 0


@pytest.mark.parametrize("touched", ["yes", "no"])
async def test_who_answered_at_the_till_has_answered(shop: PaperDesk, touched: str) -> None:
    """The phone comes too late: over, and the first answer stands."""
    showing, pixels = await shown(shop)
    answer = shop.yes() if touched == "yes" else Answer(None)
    await shop.consents.answer(showing.code.interaction_id, answer)
    assert await shop.handovers.take(yes_to(shop, showing)) is Result.OVER
    await settled(shop)
    assert spooled(shop, Lane.CONSENTS) == (touched == "yes")
    assert not pixels.any()


async def test_a_picture_that_had_to_go_takes_its_code_along(shop: PaperDesk) -> None:
    """Four wait at once; the fifth customer's picture ends the first one's code."""
    showing, _ = await shown(shop, 1)
    for seed in range(2, 6):
        await asked(shop, seed)
    assert await shop.handovers.take(yes_to(shop, showing)) is Result.OVER


@pytest.mark.parametrize("wrong", [Result.NO_BLANK, Result.DISK])
async def test_what_cannot_be_kept_is_not(shop: PaperDesk, wrong: Result) -> None:
    """T12: the last blank is gone, or the disk refuses: nothing granted, memory overwritten."""
    showing, pixels = await shown(shop)
    if wrong is Result.NO_BLANK:
        while shop.spool.take_blank(shop.clock.now_ms()) is not None:
            pass
    else:
        shop.spool.fault = SpoolError("disk full")
    assert await shop.handovers.take(yes_to(shop, showing)) is wrong
    shop.spool.fault = None
    assert not pixels.any()
    await settled(shop)
    assert spooled(shop, Lane.FRAMES) == 0
    assert shop.frames().lost == 0


async def test_a_forged_or_foreign_message_reaches_nobody(shop: PaperDesk) -> None:
    """T5, T7: another key, another purpose's key, another register's topic: refused at the door."""
    showing, pixels = await shown(shop)
    given = yes_to(shop, showing)
    topic = Topic(IDENTITY, Down.HANDOVER)
    header = Header(topic, bytes(16), 0, shop.clock.now_ms())
    good = envelope.make(header, given, (), shop.cloud.consent_key)
    assert open_down(good, str(topic), IDENTITY, shop.anchors).payload == given
    for key in (shop.cloud.receipts_key, shop.packager.key):
        with pytest.raises(RefusedMessage):
            open_down(envelope.make(header, given, (), key), str(topic), IDENTITY, shop.anchors)
    other = replace(IDENTITY, register="till-other")
    with pytest.raises(RefusedMessage):
        open_down(good, str(Topic(other, Down.HANDOVER)), IDENTITY, shop.anchors)
    for index in range(0, len(good), 7):
        flipped = bytearray(good)
        flipped[index] ^= 1
        with pytest.raises(RefusedMessage):
            open_down(bytes(flipped), str(topic), IDENTITY, shop.anchors)
    assert pixels.any()
    shop.clock.advance(90_001)
    assert not shop.consents.waits(showing.code.interaction_id)
    assert not pixels.any()


async def test_the_cloud_hears_every_notice_with_a_code_once_a_minute(shop: PaperDesk) -> None:
    """What phones show is what this register shows; after a new connection it is said again."""
    await shown(shop, 1)
    await shown(shop, 2)
    topic = str(shop.packager.topic(Up.NOTICE))
    told = [message for _, where, message in shop.link.published if where == topic]
    assert len(told) == len(shop.notices.all)
    for message, notice in zip(told, shop.notices.all, strict=True):
        payload = shop.cloud.verify(topic, message).payload
        assert isinstance(payload, NoticeUp)
        assert (payload.language, payload.text.decode()) == (notice.language, notice.text)
        assert (payload.purposes, payload.valid_days) == (notice.purposes, notice.valid_days)
    shop.handovers.connected()
    await shown(shop, 3)
    assert len(shop.link.published) == 2 * len(told)
    shop.clock.advance(60_000)
    await shown(shop, 4)
    assert len(shop.link.published) == 3 * len(told)


async def test_notices_that_the_disk_refused_are_told_with_the_next_code(shop: PaperDesk) -> None:
    """A number of a message comes from the spool."""
    interaction_id = await asked(shop)
    shop.spool.fault = SpoolError("disk full")
    await shop.handovers.show(interaction_id)
    assert shop.link.published == []
    shop.spool.fault = None
    await shown(shop, 2)
    assert len(shop.link.published) == len(shop.notices.all)


async def test_answers_are_taken_in_one_after_the_other_and_bounded(shop: PaperDesk) -> None:
    """More than fit are not kept: the cloud sends them again."""
    showing, _ = await shown(shop)
    for _ in range(INBOX_MAX + 5):
        shop.handovers.heard(yes_to(shop, showing))
    running = asyncio.create_task(shop.handovers.run())
    await shop.handovers.settle()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert shop.handovers.results == {Result.KEPT: 1, Result.REPEATED: INBOX_MAX - 1}
    await settled(shop)
