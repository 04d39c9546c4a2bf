"""What register and cloud tell each other of a hand-over."""

from dataclasses import replace

import pytest

from tests.builders import wire_messages as wire
from wire_protocol.handover_messages import HandoverDown, NoticeUp
from wire_protocol.purposes import Purpose
from wire_protocol.topics import Down, Up


def test_a_notice_is_a_text() -> None:
    """Bytes that are no UTF-8 could never have been shown."""
    notice = wire.PAYLOADS[Up.NOTICE]
    assert isinstance(notice, NoticeUp)
    with pytest.raises(ValueError, match="utf-8"):
        replace(notice, text=b"\xff")


def test_a_purpose_is_named_once() -> None:
    """Twice means nothing more."""
    given = wire.PAYLOADS[Down.HANDOVER]
    assert isinstance(given, HandoverDown)
    with pytest.raises(ValueError, match="twice"):
        replace(given, purposes=(Purpose.TRAINING, Purpose.TRAINING))
