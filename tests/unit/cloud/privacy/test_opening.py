"""Opening a frame: audited first, and refused wherever something does not fit."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cloud.privacy.erasure_plan import Source
from cloud.privacy.errors import KeyGone, OpeningRefused
from cloud.privacy.opening import Reader
from tests.builders.privacy_stage import DAY_MS, Stage
from tests.builders.wire_messages import NOW_MS, PICTURE, TENANT
from wire_protocol.consent import Purpose

READER = Reader("operator:ada", "labels of the spring set")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    built = Stage(tmp_path)
    yield built
    built.close()


def test_each_opening_is_in_the_audit_log_with_who_and_what_for(stage: Stage) -> None:
    """T26: an opening is logged, and before the picture exists."""
    given = stage.consent()
    stage.receive(given)
    frame = stage.frame(given)
    for number in (1, 2):
        assert stage.opener.open(frame, READER) == PICTURE
        assert len(stage.audited("frame.opened")) == number
    entry = stage.audited("frame.opened")[0]
    assert entry["actor"] == READER.actor
    assert entry["subject"] == given.message_id.hex()
    assert entry["detail"] == {"purpose": READER.purpose, "consent": given.consent.hex()}
    # The log stands where the opening itself then fails.
    stage.vault.destroy(TENANT, [given.consent])
    with pytest.raises(KeyGone):
        stage.opener.open(frame, READER)
    assert len(stage.audited("frame.opened")) == 3


def test_a_consent_that_ended_is_refused_before_its_key_is_destroyed(stage: Stage) -> None:
    """T5, T25: withdrawn, expired, or the frame's retention over: nothing opens."""
    withdrawn, expired, old = (stage.consent(lasts_ms=days * DAY_MS) for days in (300, 100, 300))
    stage.receive(withdrawn)
    stage.receive(expired)
    stage.receive(old, retention_ms=50 * DAY_MS)
    stage.records.withdraw(TENANT, withdrawn.consent, Source.CUSTOMER, NOW_MS, actor="customer")
    for given, days in ((withdrawn, 0), (old, 50), (expired, 100)):
        stage.time.now_ms = NOW_MS + days * DAY_MS
        with pytest.raises(OpeningRefused):
            stage.opener.open(stage.frame(given), READER)
    assert stage.audited("frame.opened") == []


def test_a_consent_for_another_purpose_is_refused(stage: Stage) -> None:
    """T5: the customer agreed to measuring, not to training."""
    given = stage.consent(purposes=(Purpose.EVALUATION,))
    stage.receive(given)
    with pytest.raises(OpeningRefused, match="did not agree"):
        stage.opener.open(stage.frame(given), READER)


def test_an_object_that_is_not_what_was_stored_is_refused(stage: Stage) -> None:
    """T2: altered bytes, another frame in its place, or no object: refused, not logged as opened."""
    given, other = stage.consent(), stage.consent()
    stage.receive(given)
    stage.receive(other)
    frame = stage.frame(given)
    altered = given.message[:-1] + bytes([given.message[-1] ^ 1])
    bad_version = stage.objects.put(frame.object_key, altered, {}, {})
    foreign = stage.frame(other)
    for wrong in (
        replace(frame, version=bad_version),
        replace(frame, object_key=foreign.object_key, version=foreign.version),
        replace(frame, version="missing"),
        replace(frame, register="till-99"),
    ):
        with pytest.raises(OpeningRefused):
            stage.opener.open(wrong, READER)
    assert stage.audited("frame.opened") == []


def test_a_frame_that_was_sealed_to_another_key_is_refused(stage: Stage) -> None:
    """What the register sealed wrongly opens for nobody, and is no crash."""
    given = stage.consent()
    stage.receive(given)
    vault = stage.vault
    vault._held[TENANT, given.consent].private = bytes(31) + b"\1"  # type: ignore[attr-defined]
    with pytest.raises(OpeningRefused):
        stage.opener.open(stage.frame(given), READER)
