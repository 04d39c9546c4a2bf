"""From bytes to an offer: what is checked, in which order, and whom a refusal can be told."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.collector.values import Delivery, Offer, RegisterRecord
from cloud.collector.verification import ConsentCache, Rejected, claimed_id, topic_of, verify
from tests.builders import wire_messages
from tests.builders.frame_sender import DAY_MS, Sender, Sent
from wire_protocol.consent import VerifiedConsent
from wire_protocol.envelope import KeyRecord
from wire_protocol.errors import RefusedMessage
from wire_protocol.keys import SigningKey
from wire_protocol.reasons import Reason
from wire_protocol.topics import Topic, Up

SENDER = Sender()
FRAME = SENDER.frame()


def result_of(
    sender: Sender, sent: Sent, cache: ConsentCache | None = None, *, revoked: bool = False
) -> Offer | Rejected:
    return verify(
        sent.delivery(),
        sent.topic,
        sender.tenant_record(),
        {sender.register: sender.register_record(revoked=revoked)},
        cache or ConsentCache(),
        received_at_ms=sender.now_ms,
        token=bytes(16),
    )


def test_a_good_message_is_an_offer() -> None:
    """With its consent verified."""
    offer = result_of(SENDER, FRAME)
    assert isinstance(offer, Offer)
    assert isinstance(offer.consent, VerifiedConsent)
    assert offer.consent.consent_id == FRAME.consent


@settings(max_examples=150)
@given(st.integers(0, len(FRAME.payload) * 8 - 1))
def test_every_flipped_bit_is_refused(bit: int) -> None:
    """Nothing of an altered message becomes an offer (T2)."""
    altered = bytearray(FRAME.payload)
    altered[bit // 8] ^= 1 << bit % 8
    assert isinstance(result_of(SENDER, replace(FRAME, payload=bytes(altered))), Rejected)


@given(st.binary(max_size=3000))
def test_whatever_comes_is_answered_or_dropped(noise: bytes) -> None:
    """No input makes the verification raise (T19)."""
    assert isinstance(result_of(SENDER, replace(FRAME, payload=noise)), Rejected)


def test_a_refusal_knows_whom_to_tell() -> None:
    """The id that the message claims, even where it does not parse; none where there is none."""
    damaged = replace(FRAME, payload=FRAME.payload + b"\0")
    result = result_of(SENDER, damaged)
    assert isinstance(result, Rejected)
    assert (result.reason, result.message_id) == (Reason.MALFORMED, FRAME.message_id)
    nothing = result_of(SENDER, replace(FRAME, payload=b"\x80"))
    assert isinstance(nothing, Rejected)
    assert nothing.message_id is None


@pytest.mark.parametrize("kind", ["frame", "consent", "outcome", "interaction_record"])
def test_the_claimed_id_is_the_headers(kind: str) -> None:
    """For every kind, whatever its fields are."""
    for _ in range(20):
        sent = getattr(SENDER, kind)()
        assert claimed_id(sent.payload) == sent.message_id


@pytest.mark.parametrize("kind", [Up.INTERACTION, Up.OUTCOME])
def test_a_record_is_named_by_itself(kind: Up) -> None:
    """Under another id it would be a second record of the same sale (T3)."""
    payload = wire_messages.PAYLOADS[kind]
    sent = SENDER.send(kind, payload, message_id=bytes(16))
    result = result_of(SENDER, sent)
    assert isinstance(result, Rejected)
    assert (result.reason, result.message_id) == (Reason.BAD_PAYLOAD, bytes(16))


def test_the_order_of_suspicion() -> None:
    """Who is unknown is told so before its signature is looked at; who is revoked as well."""
    forged = SENDER.frame(key=SigningKey.generate())
    assert isinstance(result_of(SENDER, forged), Rejected)
    revoked = result_of(SENDER, forged, revoked=True)
    assert isinstance(revoked, Rejected)
    assert revoked.reason is Reason.REVOKED
    unknown = verify(
        FRAME.delivery(), FRAME.topic, None, {}, ConsentCache(), received_at_ms=0, token=bytes(16)
    )
    assert isinstance(unknown, Rejected)
    assert unknown.reason is Reason.UNKNOWN_REGISTER


def test_a_revoked_registers_withdrawal_is_heard() -> None:
    """With any clock, too (T1, T15)."""
    for now_ms in (1, SENDER.now_ms, SENDER.now_ms + 10**12):
        sent = replace(SENDER, now_ms=now_ms).withdrawal(bytes(16))
        assert isinstance(result_of(SENDER, sent, revoked=True), Offer)


@pytest.mark.parametrize(
    ("kind", "days", "good"),
    [
        ("frame", -1, True),  # enrolled a day before; a day's slack for slow clocks
        ("frame", -3, False),
        ("frame", 3650, True),
        ("outcome", -3, True),
        ("outcome", -10_000, True),
        ("consent", -3, True),
        ("interaction_record", -3, True),
    ],
)
def test_a_slow_clock_costs_frames_only(kind: str, days: int, good: bool) -> None:  # noqa: FBT001
    """A key signs since its enrolment; a register whose clock stood in 1970 still reports sales (T15)."""
    sent = getattr(replace(SENDER, now_ms=SENDER.now_ms + days * DAY_MS), kind)()
    assert isinstance(result_of(SENDER, sent), Offer) is good


@pytest.mark.parametrize(
    ("kind", "good"),
    [("frame", False), ("outcome", True), ("consent", True), ("interaction_record", True)],
)
def test_what_a_fast_clock_dated_outlives_its_key(kind: str, good: bool) -> None:  # noqa: FBT001
    """Recorded years ahead, delivered after the register enrolled again with another key (T15)."""
    ahead = replace(SENDER, now_ms=SENDER.now_ms + 3650 * DAY_MS)
    sent = getattr(ahead, kind)()
    until_ms = SENDER.now_ms + DAY_MS
    before = RegisterRecord(
        SENDER.identity,
        "harbour",
        revoked=False,
        keys={SENDER.key.kid: KeyRecord(SENDER.key.verification_key, 0, until_ms)},
    )
    result = verify(
        sent.delivery(),
        sent.topic,
        ahead.tenant_record(),
        {SENDER.register: before},
        ConsentCache(),
        received_at_ms=SENDER.now_ms,
        token=bytes(16),
    )
    assert isinstance(result, Offer) is good


def test_a_receipt_is_verified_once() -> None:
    """The second frame under a consent costs no signature of it; another sender's copy is checked anew."""
    cache = ConsentCache()
    blank, interaction = SENDER.blank(), SENDER.interaction()
    receipt = SENDER.receipt(blank, interaction)
    frames = [SENDER.frame(blank=blank, interaction=interaction, receipt=receipt) for _ in range(2)]
    offers = [result_of(SENDER, frame, cache) for frame in frames]
    assert all(isinstance(offer, Offer) for offer in offers)
    assert offers[0].consent is offers[1].consent  # type: ignore[union-attr]
    thief = Sender(register="till-2", consent_key=SENDER.consent_key)
    stolen = thief.frame(blank=blank, interaction=interaction, receipt=receipt)
    result = result_of(thief, stolen, cache)
    assert isinstance(result, Rejected)
    assert result.reason is Reason.CONSENT_FORGED


def test_the_cache_forgets() -> None:
    """The oldest first, so that it stays within its size."""
    cache = ConsentCache(size=2)
    for _ in range(5):
        result_of(SENDER, SENDER.frame(), cache)
    assert len(cache._known) == 2


@pytest.mark.parametrize("kind", [Up.REPORT, Up.STATUS])
def test_collectors_take_what_is_receipted(kind: Up) -> None:
    """Reports and status are others' business."""
    with pytest.raises(RefusedMessage) as caught:
        topic_of(str(Topic(SENDER.identity, kind)))
    assert caught.value.reason is Reason.BAD_TOPIC
    assert Delivery(str(FRAME.topic), b"", None).topic == str(topic_of(str(FRAME.topic)))
