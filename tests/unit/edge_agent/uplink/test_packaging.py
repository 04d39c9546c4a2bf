"""What a register signs, read as the cloud reads it."""

from dataclasses import replace

import pytest

from edge_agent.uplink.packaging import JpegFrame, Stamp
from tests.builders.records import interaction_id
from tests.builders.uplink import DAY_MS, PaperDesk
from wire_protocol.consent import Purpose, VerifiedConsent
from wire_protocol.errors import RefusedMessage
from wire_protocol.messages import StatusUp
from wire_protocol.reasons import Reason
from wire_protocol.topics import Identity, Up

PICTURE = JpegFrame(b"\xff\xd8\xff canary", 160, 120, 1_795_000_000_000)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("expired", Reason.CONSENT_EXPIRED),
        ("purpose", Reason.CONSENT_PURPOSE),
        ("register", Reason.CONSENT_FOREIGN),
        ("stale", Reason.BLANK_STALE),
    ],
)
def test_no_frame_is_sealed_without_a_consent_that_covers_it_t5(change: str, reason: Reason) -> None:
    """T5: the agent's half of the table of consents; each is refused before a byte is sealed."""
    shop = PaperDesk()
    yes = shop.yes().yes
    assert yes is not None
    granted = shop.desk.grant(interaction_id(1), yes, shop.clock.now_ms())
    agreed, at_ms = granted.agreed, shop.clock.now_ms()
    match change:
        case "expired":
            at_ms += 366 * DAY_MS
        case "purpose":
            agreed = VerifiedConsent(replace(agreed.consent, purposes=(Purpose.EVALUATION,)), agreed.blank)
        case "register":
            agreed = VerifiedConsent(agreed.consent, replace(agreed.blank, register="till-2"))
        case "stale":
            agreed = VerifiedConsent(agreed.consent, replace(agreed.blank, usable_until=1))
    with pytest.raises(RefusedMessage) as refused:
        shop.packager.frame(Stamp(bytes(16), 1, at_ms), PICTURE, granted.receipt, agreed)
    assert refused.value.reason is reason
    shop.executor.shutdown()


def test_a_status_is_signed_by_the_register() -> None:
    """Also the one that the broker publishes when the register is gone."""
    shop = PaperDesk()
    message = shop.packager.status(Stamp(bytes(16), 7, 5), online=False, since_ms=5, agent_version="1")
    verified = shop.cloud.verify(str(shop.packager.topic(Up.STATUS)), message)
    assert verified.payload == StatusUp(online=False, since=5, agent_version="1")
    assert verified.header.sequence == 7
    assert shop.packager.identity == Identity("gelateria-sole", "till-1")
    shop.executor.shutdown()
