"""What registers show reaches the cloud only as they signed it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.privacy.keeper import Keeper, Stock
from tests.builders.privacy_stage import Stage
from tests.builders.wire_messages import CONSENT_KEY, IDENTITY, NOTICE_TEXT, REGISTER_KEY
from wire_protocol import envelope
from wire_protocol.envelope import Header
from wire_protocol.errors import RefusedMessage
from wire_protocol.handover_messages import NoticeUp
from wire_protocol.keys import SigningKey
from wire_protocol.notices import MAX_CHARACTERS, Notice
from wire_protocol.purposes import Purpose
from wire_protocol.reasons import Reason
from wire_protocol.topics import Identity, Topic, Up

Kept = list[tuple[Identity, Notice, int]]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.close()


@pytest.fixture
def kept(stage: Stage) -> Kept:
    """What was kept; the stage's keeper keeps it here."""
    found: Kept = []
    stage.keeper = Keeper(
        stage.records,
        stage.vault,
        stage.eraser,
        stage.keeper._downlink,
        stock=Stock(300, 90),
        clock=stage.time,
        keep_notice=lambda *said: found.append(said),
    )
    return found


def said(stage: Stage, text: bytes = NOTICE_TEXT, key: SigningKey = REGISTER_KEY) -> tuple[str, bytes]:
    topic = Topic(IDENTITY, Up.NOTICE)
    payload = NoticeUp("EN", text, (Purpose.TRAINING,), 365)
    header = Header(topic, os.urandom(16), 1, stage.time())
    return str(topic), envelope.make(header, payload, (), key)


def test_a_notice_is_kept_as_it_was_signed(stage: Stage, kept: Kept) -> None:
    """With its digest, which the consent will name."""
    assert stage.keeper.hear(*said(stage)) == 0
    ((identity, notice, at_ms),) = kept
    assert (identity, at_ms) == (IDENTITY, stage.time())
    assert (notice.language, notice.text) == ("en", NOTICE_TEXT.decode())
    assert (notice.purposes, notice.valid_days) == (("training",), 365)


def test_reports_are_heard_as_before(stage: Stage, kept: Kept) -> None:
    """The same door, by the topic's kind; anything else is refused."""
    assert stage.keeper.hear(*stage.report(left=0, wanted=5)) == 5
    assert kept == []
    topic, message = stage.report()
    with pytest.raises(RefusedMessage) as refused:
        stage.keeper.hear(topic.replace("report", "status"), message)
    assert refused.value.reason is Reason.BAD_TOPIC


@pytest.mark.parametrize("wrong", ["forged", "revoked", "long", "nul"])
def test_what_no_register_may_show_is_not_kept(stage: Stage, kept: Kept, wrong: str) -> None:
    """T1: another's signature, a revoked register, a text beyond bounds or that no database takes."""
    if wrong == "revoked":
        stage.set_register_state("revoked")
    text = {"long": b"x" * (MAX_CHARACTERS + 1), "nul": b"a\0b"}.get(wrong, NOTICE_TEXT)
    with pytest.raises(RefusedMessage):
        stage.keeper.hear(*said(stage, text, CONSENT_KEY if wrong == "forged" else REGISTER_KEY))
    assert kept == []
