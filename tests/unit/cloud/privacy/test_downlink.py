"""What goes down is signed by the tenant's key for consent and fits its messages."""

import os

from cloud.privacy.downlink import ERASE_PER_MESSAGE, Downlink
from cloud.privacy.ports import IssuedKey
from tests.builders.privacy_stage import SentDown, Time
from tests.builders.wire_messages import CONSENT_KEY, IDENTITY, NOW_MS, PICTURE_PUBLIC, lookup
from wire_protocol.consent import verify_blank
from wire_protocol.limits import BLANKS_PER_MESSAGE_MAX
from wire_protocol.messages import BlanksDown, EraseDown


def test_many_ended_consents_go_in_several_messages() -> None:
    link = SentDown()
    consents = [os.urandom(16) for _ in range(2 * ERASE_PER_MESSAGE + 1)]
    Downlink(link, lambda _: CONSENT_KEY, Time()).send_erase(IDENTITY, consents)
    told = link.payloads()
    assert [len(one.consents) for one in told if isinstance(one, EraseDown)] == [200, 200, 1]
    assert [consent for one in told if isinstance(one, EraseDown) for consent in one.consents] == consents


def test_nothing_ended_sends_nothing() -> None:
    link = SentDown()
    Downlink(link, lambda _: CONSENT_KEY, Time()).send_erase(IDENTITY, [])
    assert link.sent == []


def test_as_many_blanks_as_one_message_may_have_fit() -> None:
    link = SentDown()
    downlink = Downlink(link, lambda _: CONSENT_KEY, Time())
    keys = [IssuedKey(os.urandom(16), PICTURE_PUBLIC) for _ in range(BLANKS_PER_MESSAGE_MAX)]
    downlink.send_blanks(IDENTITY, downlink.sign_blanks(IDENTITY, keys, NOW_MS, NOW_MS + 5))
    (sent,) = link.payloads()
    assert isinstance(sent, BlanksDown)
    blanks = [verify_blank(blank, lookup(CONSENT_KEY)) for blank in sent.blanks]
    assert [(one.blank, one.public_key) for one in blanks] == [(key.blank, key.public_key) for key in keys]
    assert {(one.tenant, one.register, one.usable_until) for one in blanks} == {
        (IDENTITY.tenant, IDENTITY.register, NOW_MS + 5)
    }
