"""The keeper: blanks for those who may have them, and the end of what is over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.privacy.blank_issue import ARRIVAL_MS, KEY_GRACE_MS, outstanding_max
from cloud.privacy.erasure_plan import TELL_AGAIN_MS, TELL_FOR_MS, Source
from cloud.privacy.errors import KeyGone
from tests.builders.privacy_stage import DAY_MS, YEAR_MS, Stage
from tests.builders.wire_messages import (
    CONSENT_KEY,
    IDENTITY,
    NOW_MS,
    PICTURE,
    REGISTER,
    REGISTER_KEY,
    TENANT,
    ed25519_key,
    lookup,
)
from wire_protocol import envelope
from wire_protocol.consent import verify_blank
from wire_protocol.envelope import seal_info
from wire_protocol.errors import RefusedMessage
from wire_protocol.messages import BlanksDown, EraseDown
from wire_protocol.reasons import Reason
from wire_protocol.sealing import SealBroken, unseal
from wire_protocol.topics import Topic, Up


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    built = Stage(tmp_path)
    yield built
    built.close()


def _blanks(stage: Stage) -> list[bytes]:
    return [
        verify_blank(blank, lookup(CONSENT_KEY)).blank
        for payload in stage.link.payloads()
        if isinstance(payload, BlanksDown)
        for blank in payload.blanks
    ]


def test_a_register_that_asks_gets_signed_blanks_whose_keys_are_alive(stage: Stage) -> None:
    assert stage.keeper.report(*stage.report(left=10, wanted=50)) == 50
    sent = _blanks(stage)
    assert len(set(sent)) == 50
    assert set(stage.vault.live(TENANT, REGISTER, 0)) == set(sent)


def test_a_report_that_wants_nothing_gets_nothing_but_is_kept(stage: Stage) -> None:
    assert stage.keeper.report(*stage.report(left=10)) == 0
    assert stage.link.sent == []
    assert stage.vault.live(TENANT, REGISTER, 0) == []


def test_repeated_reports_do_not_multiply_blanks(stage: Stage) -> None:
    """The same report twenty times, or one that is late: what is on the way counts."""
    report = stage.report(left=0, wanted=100)
    assert sum(stage.keeper.report(*report) for _ in range(20)) == 100
    # For ever lost: after a while they are sent anew, up to the bound and no further.
    sent = 100
    for _ in range(12):
        stage.time.now_ms += ARRIVAL_MS + 1
        sent += stage.keeper.report(*stage.report(left=0, wanted=100))
    assert sent == outstanding_max(300)
    assert len(stage.vault.live(TENANT, REGISTER, 0)) == sent


def test_used_blanks_make_room_for_new_ones(stage: Stage) -> None:
    for _ in range(20):
        stage.keeper.report(*stage.report(left=0, wanted=100))
        stage.time.now_ms += ARRIVAL_MS + 1
    assert stage.keeper.report(*stage.report(left=0, wanted=5)) == 0
    before = len(stage.vault.live(TENANT, REGISTER, 0))
    stage.receive(stage.consent(), frame=False)
    assert stage.records.given(TENANT, stage.vault.live(TENANT, REGISTER, 0))
    assert len(stage.vault.live(TENANT, REGISTER, 0)) == before + 1
    assert stage.keeper.report(*stage.report(left=0, wanted=5)) == 0, "one was issued and used beside them"
    stage.time.now_ms += 90 * DAY_MS + KEY_GRACE_MS
    assert stage.keeper.report(*stage.report(left=0, wanted=5)) == 5, "those that ended count no more"


def test_reports_of_others_are_refused(stage: Stage) -> None:
    """T2: another key, another topic, a revoked register: no blanks, no row."""
    topic, report = stage.report(left=0, wanted=100)
    cases = {
        Reason.UNKNOWN_KEY: stage.report(left=0, wanted=9, key=ed25519_key("thief")),
        Reason.IDENTITY_MISMATCH: (topic.replace(REGISTER, "till-99"), report),
        Reason.BAD_TOPIC: (topic.replace("/up/report", "/up/status"), report),
        Reason.MALFORMED: (topic, report + b"\0"),
    }
    for reason, (place, message) in cases.items():
        with pytest.raises(RefusedMessage) as refused:
            stage.keeper.report(place, message)
        assert refused.value.reason is reason
    stage.set_register_state("revoked")
    with pytest.raises(RefusedMessage) as refused:
        stage.keeper.report(topic, report)
    assert refused.value.reason is Reason.REVOKED
    assert stage.link.sent == []
    assert stage.vault.live(TENANT, REGISTER, 0) == []


def test_a_register_that_was_never_enrolled_is_refused(stage: Stage) -> None:
    from wire_protocol.envelope import Header, make
    from wire_protocol.messages import ReportUp
    from wire_protocol.topics import Identity, Topic, Up

    topic = Topic(Identity(TENANT, "till-99"), Up.REPORT)
    report = ReportUp("0.2.0", NOW_MS, 60, 0, 9, 0, 0, ())
    message = make(Header(topic, bytes(16), 1, NOW_MS), report, (), ed25519_key("register"))
    with pytest.raises(RefusedMessage) as refused:
        stage.keeper.report(str(topic), message)
    assert refused.value.reason is Reason.UNKNOWN_REGISTER


def test_withdrawals_are_erased_and_the_register_told_again_until_its_spool_forgot(stage: Stage) -> None:
    """T25: at once, at reports with some time between, and not for ever."""
    given = stage.consent()
    stage.receive(given)
    stage.records.withdraw(TENANT, given.consent, Source.REGISTER, NOW_MS, actor="register")
    assert stage.keeper.erase(TENANT) == 1
    told = [EraseDown((given.consent,))]
    assert stage.link.payloads() == told
    assert stage.keeper.erase(TENANT) == 0
    stage.keeper.report(*stage.report())
    assert stage.link.payloads() == []
    stage.time.now_ms += TELL_AGAIN_MS
    stage.keeper.report(*stage.report())
    assert stage.link.payloads() == told
    stage.time.now_ms += TELL_FOR_MS
    stage.keeper.report(*stage.report())
    assert stage.link.payloads() == []


def test_a_tombstone_of_a_blank_that_nobody_used_tells_the_register_it_was_issued_to(stage: Stage) -> None:
    given = stage.consent()
    for consent in (given.consent, bytes(16)):
        stage.records.withdraw(TENANT, consent, Source.REGISTER, NOW_MS, actor="register")
    assert stage.keeper.erase(TENANT) == 2
    assert stage.link.payloads() == [EraseDown((given.consent,))]
    assert stage.records.untold(TENANT, 10) == []


def test_retention_ends_consents_whose_time_or_whose_frames_time_is_over(stage: Stage) -> None:
    """T25: by the schedule, without anybody asking; the proof names `retention`."""
    short = stage.consent(lasts_ms=10 * DAY_MS)
    frame_short = stage.consent()
    long = stage.consent()
    stage.receive(short, frame=False)
    stage.receive(frame_short, retention_ms=20 * DAY_MS)
    stage.receive(long)
    ended = []
    for days, expected in ((9, 0), (10, 1), (19, 0), (20, 1), (364, 0), (365, 1)):
        stage.time.now_ms = NOW_MS + days * DAY_MS
        assert stage.keeper.retention(TENANT) == expected, f"day {days}"
        ended.append(stage.keeper.erase(TENANT))
    assert ended == [0, 1, 0, 1, 0, 1]
    assert [entry["detail"]["source"] for entry in stage.audited("consent.erased")] == ["retention"] * 3
    for given in (short, frame_short, long):
        assert stage.versions(given) == []
        with pytest.raises(KeyGone):
            stage.vault.unseal(TENANT, given.consent, bytes(100), b"")


def test_a_frame_that_stands_as_stored_under_an_erased_consent_goes_too(stage: Stage) -> None:
    """T25: whatever let its row come after the erasure; the proof stays the one that was written."""
    given = stage.consent()
    stage.receive(given, frame=False)
    stage.records.withdraw(TENANT, given.consent, Source.CUSTOMER, NOW_MS, actor="c")
    assert stage.keeper.erase(TENANT) == 1
    proofs = stage.audited("consent.erased")
    stage.finish(given, stage.put(given))
    stage.time.now_ms += 1
    stage.keeper.retention(TENANT)
    assert stage.versions(given) == []
    assert stage.frame(given).erased_at_ms == stage.time.now_ms
    assert stage.records.left_over(TENANT, 9) == []
    assert stage.audited("consent.erased") == proofs


def test_keys_of_unused_blanks_end_and_those_of_used_ones_stay(stage: Stage) -> None:
    """A consent on a blank's last day may arrive a month later; then the keys of the unused end."""
    stage.keeper.report(*stage.report(left=0, wanted=10))
    unused = set(stage.vault.live(TENANT, REGISTER, 0))
    given = stage.consent(lasts_ms=2 * YEAR_MS)
    stage.receive(given, frame=False)
    stage.time.now_ms = NOW_MS + 90 * DAY_MS + KEY_GRACE_MS - 1
    stage.keeper.retention(TENANT)
    assert set(stage.vault.live(TENANT, REGISTER, 0)) == {*unused, given.consent}
    stage.time.now_ms += DAY_MS
    stage.keeper.retention(TENANT)
    stage.keeper.retention(TENANT)
    assert stage.vault.live(TENANT, REGISTER, 0) == [given.consent]


def test_a_stolen_register_has_no_key_that_opens_a_frame(stage: Stage) -> None:
    """T1: no 32 bytes of what a register holds of a frame (message, receipt, its key) open the picture."""
    given = stage.consent()
    unverified = envelope.parse(given.message, Topic(IDENTITY, Up.FRAME))
    sealed, info = unverified.attachments[1], seal_info(unverified.header, unverified.kid)
    (private,) = [held.private for held in stage.vault._held.values()]  # type: ignore[attr-defined]
    assert private is not None
    assert unseal(sealed, private, info) == PICTURE
    own = REGISTER_KEY.private.private_bytes_raw()  # type: ignore[union-attr]
    held = own + given.message + given.receipt + given.granted.blank
    for at in range(len(held) - 31):
        with pytest.raises(SealBroken):
            unseal(sealed, held[at : at + 32], info)
