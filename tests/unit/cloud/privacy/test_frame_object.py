"""Which consent a stored message names, and what is verified before anybody opens it."""

import pytest

from cloud.privacy.frame_object import consent_named_by, verify_frame
from tests.builders.wire_messages import (
    BLANK,
    CONSENT_KEY,
    IDENTITY,
    NOW_MS,
    RECEIPTS_KEY,
    REGISTER_KEY,
    example,
    lookup,
)
from wire_protocol.errors import RefusedMessage
from wire_protocol.reasons import Reason
from wire_protocol.topics import Up

FRAME = example(Up.FRAME)
YEAR_MS = 365 * 86_400_000


def test_a_frame_names_its_consent() -> None:
    assert consent_named_by(FRAME.message) == BLANK.blank


@pytest.mark.parametrize(
    "message", [b"", b"\x80", b"\x81\x01", b"\x81\x41\x00", FRAME.message[:-1], example(Up.CONSENT).message]
)
def test_what_is_no_frame_names_none(message: bytes) -> None:
    assert consent_named_by(message) is None


def test_a_stored_frame_is_verified_with_envelope_and_consent() -> None:
    sealed = verify_frame(FRAME.message, IDENTITY, lookup(REGISTER_KEY), lookup(CONSENT_KEY), NOW_MS)
    assert sealed.sealed == b"sealed picture"
    assert sealed.consent.consent_id == BLANK.blank


def test_keys_of_others_and_a_time_after_the_consent_are_refused() -> None:
    """T5, T6: another signer of the envelope or of the blank, or a consent that is over."""
    ours, service = lookup(REGISTER_KEY), lookup(CONSENT_KEY)
    for reason, keys, blanks, now_ms in (
        (Reason.UNKNOWN_KEY, service, service, NOW_MS),
        (Reason.CONSENT_FORGED, ours, lookup(RECEIPTS_KEY), NOW_MS),
        (Reason.CONSENT_EXPIRED, ours, service, NOW_MS + YEAR_MS + 2_000),
    ):
        with pytest.raises(RefusedMessage) as refused:
            verify_frame(FRAME.message, IDENTITY, keys, blanks, now_ms)
        assert refused.value.reason is reason
