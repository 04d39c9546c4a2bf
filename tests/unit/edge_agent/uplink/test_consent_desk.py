"""Filling blanks and taking consents back."""

from uuid import UUID

import pytest

from edge_agent.errors import NoBlanksError, WithdrawalRefusedError
from edge_agent.uplink.anchors import Anchors
from edge_agent.uplink.consent_desk import ConsentDesk
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.ports import SpooledBlank
from tests.builders.records import interaction_id, seeded_randomness
from tests.builders.register import RECEIPT_KEY
from tests.builders.uplink import DAY_MS, PaperDesk
from wire_protocol.consent import Blank, make_blank
from wire_protocol.errors import RefusedMessage
from wire_protocol.keys import SigningKey
from wire_protocol.reasons import Reason


def test_one_blank_one_consent_until_none_is_left() -> None:
    """Each consent has a blank, a code and an end of its own."""
    shop = PaperDesk(blanks=2, valid_days=30)
    yes = shop.yes().yes
    assert yes is not None
    now_ms = shop.clock.now_ms()
    one, two = (shop.desk.grant(interaction_id(number), yes, now_ms) for number in (1, 2))
    assert one.consent_id != two.consent_id
    assert one.withdrawal_code != two.withdrawal_code
    assert one.expires_at_ms == now_ms + 30 * DAY_MS
    assert one.withdrawal_code not in repr(one)
    with pytest.raises(NoBlanksError):
        shop.desk.grant(interaction_id(3), yes, now_ms)
    shop.executor.shutdown()


@pytest.mark.parametrize("forged", ["unknown key", "another register"])
def test_the_register_refuses_to_fill_a_blank_that_the_cloud_would_refuse_t5(forged: str) -> None:
    """T5, T6: the agent's own check is as strict as the collector's, whatever lies in the spool."""
    shop = PaperDesk(blanks=0)
    key = SigningKey.generate() if forged == "unknown key" else shop.cloud.consent_key
    register = "till-1" if forged == "unknown key" else "till-2"
    now_ms = shop.clock.now_ms()
    blank = Blank(bytes(16), "gelateria-sole", register, bytes([9]) * 32, now_ms, now_ms + DAY_MS)
    shop.spool.add_blanks([SpooledBlank(bytes(16), make_blank(blank, key), now_ms + DAY_MS)])
    yes = shop.yes().yes
    assert yes is not None
    with pytest.raises(RefusedMessage) as refused:
        shop.desk.grant(interaction_id(1), yes, now_ms)
    expected = Reason.CONSENT_FORGED if forged == "unknown key" else Reason.CONSENT_FOREIGN
    assert refused.value.reason is expected
    assert shop.spool.candidates(Lane.CONSENTS, 0, 9) == ()
    shop.executor.shutdown()


@pytest.mark.parametrize("code", ["", "0000-0000-0000-0000", "UUUU-UUUU-UUUU-UUUU", "x" * 64])
def test_another_code_withdraws_nothing(code: str) -> None:
    """Guessing 80 bits is no way, and what is no code at all is refused in the same words."""
    shop = PaperDesk()
    with pytest.raises(WithdrawalRefusedError):
        shop.desk.withdraw(UUID(int=1), code, shop.clock.now_ms())
    assert shop.spool.candidates(Lane.WITHDRAWALS, 0, 9) == ()
    shop.executor.shutdown()


def test_a_code_is_good_for_ever_and_on_this_register_only() -> None:
    """It follows from the register's secret: nothing is stored, nothing can be lost but the slip."""
    shop = PaperDesk()
    yes = shop.yes().yes
    assert yes is not None
    granted = shop.desk.grant(interaction_id(1), yes, shop.clock.now_ms())

    def desk(secret: bytes) -> ConsentDesk:
        return ConsentDesk(
            packager=shop.packager,
            anchors=Anchors(()),
            spool=shop.spool,
            secret=secret,
            valid_ms=1,
            randomness=seeded_randomness(9),
        )

    with pytest.raises(WithdrawalRefusedError):
        desk(bytes(32)).withdraw(granted.consent_id, granted.withdrawal_code, 1)
    desk(RECEIPT_KEY).withdraw(granted.consent_id, granted.withdrawal_code, 1)
    assert len(shop.spool.candidates(Lane.WITHDRAWALS, 0, 9)) == 1
    shop.executor.shutdown()
