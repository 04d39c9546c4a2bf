"""The rules, one by one: repeats, age, consent, withdrawal, quota."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.collector.acceptance import DAY_MS, RETRY_MAX_MS, Terms, accept, day_of, expiry, object_key
from cloud.collector.values import (
    Claim,
    ConsentFact,
    Facts,
    Later,
    Refuse,
    Repeat,
    Row,
    Ruling,
    State,
    Store,
    Vanish,
)
from tests.builders.frame_sender import Sender, Sent
from tests.builders.ledgers import offer_of
from wire_protocol.consent import Purpose
from wire_protocol.limits import FRAME_MAX_AGE_MS
from wire_protocol.reasons import Reason

NOW = 1_790_000_000_000
TERMS = Terms()


@pytest.fixture
def sender() -> Sender:
    return Sender(now_ms=NOW)


def ruling_of(sender: Sender, sent: Sent, facts: Facts | None = None, now_ms: int = NOW) -> Ruling:
    return accept(offer_of(sender, sent, now_ms), facts or Facts(), TERMS, now_ms)


def reason_of(ruling: Ruling) -> Reason:
    assert isinstance(ruling, Refuse), ruling
    return ruling.reason


def row_of(sent: Sent, state: State, **more: object) -> Row:
    row = Row("till-1", sent.message_id, sent.sha256, state, NOW, 0)
    return replace(row, **more)  # type: ignore[arg-type]


def test_a_good_frame_is_claimed(sender: Sender) -> None:
    """Under the key of its interaction's day, until the lease ends, to be erased with its consent."""
    sent = sender.frame()
    ruling = ruling_of(sender, sent)
    assert ruling == Claim(
        object_key=object_key("acme", sent.interaction),
        lease_until_ms=NOW + TERMS.lease_ms,
        expires_at_ms=NOW + 365 * DAY_MS,
        takeover=False,
    )


@pytest.mark.parametrize("state", [State.STORED, State.REFUSED, State.GONE])
def test_what_is_settled_is_repeated(sender: Sender, state: State) -> None:
    """Whatever its row says (T3)."""
    sent = sender.frame()
    row = row_of(sent, state)
    assert ruling_of(sender, sent, Facts(row=row)) == Repeat(row)


@pytest.mark.parametrize("state", [*State])
def test_other_bytes_under_an_id_are_a_conflict(sender: Sender, state: State) -> None:
    """Whatever became of the first (T3); its row stays."""
    sent = sender.frame()
    row = row_of(sent, state, sha256=bytes(32))
    ruling = ruling_of(sender, sent, Facts(row=row))
    assert isinstance(ruling, Refuse)
    assert (ruling.reason, ruling.durable) == (Reason.CONFLICT, False)


@given(st.integers(0, 10**9), st.booleans())
def test_a_claim_is_respected_for_exactly_its_lease(age_ms: int, released: bool) -> None:  # noqa: FBT001
    """Then, or once it was given back, it is taken over."""
    sender = Sender(now_ms=NOW)
    sent = sender.frame()
    row = row_of(
        sent,
        State.CLAIMED,
        token=None if released else b"theirs",
        lease_until_ms=None if released else NOW + 30_000,
    )
    ruling = ruling_of(sender, sent, Facts(row=row), NOW + age_ms)
    if released or age_ms >= 30_000:
        assert isinstance(ruling, Claim)
        assert ruling.takeover
    else:
        assert ruling == Later(TERMS.busy_retry_ms, "busy")


@pytest.mark.parametrize("years", [-30, -1, 0, 1, 30])
@pytest.mark.parametrize("kind", ["frame", "outcome", "interaction_record", "consent", "withdrawal"])
def test_skewed_clocks(sender: Sender, kind: str, years: int) -> None:
    """Only a frame can be too old; a future never matters; small kinds are late at most (T15)."""
    skewed = replace(sender, now_ms=max(1, NOW + years * 365 * DAY_MS))
    sent = skewed.withdrawal(bytes(16)) if kind == "withdrawal" else getattr(skewed, kind)()
    # The register was enrolled by our clock; its key signs since then.
    offer = offer_of(skewed, sent, NOW)
    ruling = accept(offer, Facts(), TERMS, NOW)
    if kind != "frame":
        assert ruling == Store(late=years < 0)
    elif years < 0:
        assert reason_of(ruling) is Reason.TOO_OLD
    else:
        assert isinstance(ruling, Claim)


def test_the_age_of_frames_is_the_spools(sender: Sender) -> None:
    """To the millisecond (T15)."""
    sent = sender.frame()
    blank = sender.blank(usable_until=NOW + 10 * FRAME_MAX_AGE_MS)
    sent = sender.frame(blank=blank)
    assert isinstance(ruling_of(sender, sent, now_ms=NOW + FRAME_MAX_AGE_MS), Claim)
    assert reason_of(ruling_of(sender, sent, now_ms=NOW + FRAME_MAX_AGE_MS + 1)) is Reason.TOO_OLD


def test_a_consent_is_judged_by_both_clocks(sender: Sender) -> None:
    """It must cover the capture by the register's clock and the receipt by ours (T5, T15)."""
    blank, interaction = sender.blank(), sender.interaction()
    receipt = sender.receipt(blank, interaction, expires_at=NOW + 1000)
    parts = {"blank": blank, "interaction": interaction, "receipt": receipt}
    good = sender.frame(**parts)  # type: ignore[arg-type]
    assert isinstance(ruling_of(sender, good, now_ms=NOW + 999), Claim)
    assert reason_of(ruling_of(sender, good, now_ms=NOW + 1000)) is Reason.CONSENT_EXPIRED
    late = sender.frame(**parts, captured_at=NOW + 1000)  # type: ignore[arg-type]
    assert reason_of(ruling_of(sender, late)) is Reason.CONSENT_EXPIRED


def test_the_states_a_receipt_can_be_in(sender: Sender) -> None:
    """Each but the good one is refused, without the register's help (T5)."""
    blank, interaction = sender.blank(), sender.interaction()

    def frame(**changes: object) -> Sent:
        receipt = sender.receipt(blank, interaction, **changes)  # type: ignore[arg-type]
        return sender.frame(blank=blank, interaction=interaction, receipt=receipt)

    assert isinstance(ruling_of(sender, frame()), Claim)
    evaluation = frame(purposes=(Purpose.EVALUATION,))
    assert reason_of(ruling_of(sender, evaluation)) is Reason.CONSENT_PURPOSE
    receipt = sender.receipt(blank, interaction)
    elsewhere = sender.frame(blank=blank, interaction=sender.interaction(), receipt=receipt)
    assert reason_of(ruling_of(sender, elsewhere)) is Reason.CONSENT_FOREIGN
    stale = frame(granted_at=blank.usable_until + 1, expires_at=blank.usable_until + 2)
    assert reason_of(ruling_of(sender, stale)) is Reason.BLANK_STALE
    for field, other in (("tenant", "zeta"), ("register", "till-9")):
        foreign = sender.blank(**{field: other})
        assert reason_of(ruling_of(sender, sender.frame(blank=foreign))) is Reason.CONSENT_FOREIGN
    other_blank = sender.frame(blank=sender.blank(), receipt=sender.receipt(blank, interaction))
    assert reason_of(ruling_of(sender, other_blank)) is Reason.CONSENT_FOREIGN


@pytest.mark.parametrize("changed", ["register", "interaction", "receipt"])
def test_a_blank_serves_one_consent(sender: Sender, changed: str) -> None:
    """Filled by another register, for another interaction, or in other words: refused (T6)."""
    blank, interaction = sender.blank(), sender.interaction()
    receipt = sender.receipt(blank, interaction)
    sent = sender.frame(blank=blank, interaction=interaction, receipt=receipt)
    same = ConsentFact("till-1", interaction, receipt)
    assert isinstance(ruling_of(sender, sent, Facts(consent=same)), Claim)
    other = {"register": "till-2", "interaction": bytes(16), "receipt": b"other"}[changed]
    known = replace(same, **{changed: other})  # type: ignore[arg-type]
    assert reason_of(ruling_of(sender, sent, Facts(consent=known))) is Reason.BLANK_REUSED


def test_withdrawn_means_gone_or_refused(sender: Sender) -> None:
    """Withdrawn after it was given: gone, and its consent is still evidence. Given after that: refused."""
    frame, consent = sender.frame(), sender.consent()
    assert ruling_of(sender, frame, Facts(withdrawn_at_ms=NOW + 1)) == Vanish()
    assert ruling_of(sender, consent, Facts(withdrawn_at_ms=NOW + 1)) == Store(late=False)
    for sent in (frame, consent):
        ruling = ruling_of(sender, sent, Facts(withdrawn_at_ms=NOW - 1))
        assert reason_of(ruling) is Reason.CONSENT_WITHDRAWN


@pytest.mark.parametrize("facts", [Facts(frames_today=1000), Facts(bytes_today=10**9)])
def test_beyond_the_quota_a_frame_waits(sender: Sender, facts: Facts) -> None:
    """Never refused, never longer than a receipt can say; small kinds pass (T27)."""
    ruling = ruling_of(sender, sender.frame(), facts)
    assert isinstance(ruling, Later)
    assert ruling.why == "quota"
    assert 0 < ruling.retry_after_ms <= RETRY_MAX_MS
    assert ruling_of(sender, sender.outcome(), facts) == Store(late=False)


def test_a_frame_ends_with_its_consent_or_the_schedule() -> None:
    """Whichever is first; counted from our receipt."""
    assert expiry(NOW + DAY_MS, NOW, 365) == NOW + DAY_MS
    assert expiry(NOW + 365 * DAY_MS, NOW, 30) == NOW + 30 * DAY_MS


@given(st.binary(min_size=16, max_size=16))
def test_every_interaction_has_a_key(interaction: bytes) -> None:
    """Whatever 16 bytes a register sends: below the tenant's folder, and no longer than the column."""
    key = object_key("acme", interaction)
    assert key.startswith("frames/acme/")
    assert len(key) <= 200
    assert ".." not in key


def test_the_day_is_utc() -> None:
    """Of counters and quotas."""
    assert day_of(1_790_000_000_000) == "2026-09-21"
    assert day_of(0) == "1970-01-01"
