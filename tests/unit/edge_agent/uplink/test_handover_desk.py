"""Which yes from a phone is believed, and how often."""

from dataclasses import replace
from uuid import UUID

import pytest

from edge_agent.uplink.handover_desk import OPEN_MAX, SPENT_MAX, Code, HandoverDesk, Result
from tests.builders import wire_messages as wire
from wire_protocol import handover
from wire_protocol.envelope import KeyRecord
from wire_protocol.handover_messages import HandoverDown
from wire_protocol.identifiers import uuid7
from wire_protocol.purposes import Purpose

NOW_MS, NOW_NS = 1_790_000_000_700, 5_000_000_000
INTERACTION = UUID(bytes=wire.INTERACTION)


@pytest.fixture
def desk() -> HandoverDesk:
    return HandoverDesk(wire.IDENTITY, wire.REGISTER_KEY, "https://{tenant}.example.com")


def made(desk: HandoverDesk, seed: int = 1, interaction: UUID = INTERACTION) -> Code:
    return desk.make(interaction, hold_s=90, now_ms=NOW_MS, now_ns=NOW_NS, random=bytes([seed]) * 16)


def answered(code: Code) -> HandoverDown:
    return HandoverDown(
        handover=code.handover,
        interaction=code.interaction_id.bytes,
        purposes=(Purpose.TRAINING,),
        notice=bytes(32),
        language="en",
        granted_at=NOW_MS,
        expires_at=code.expires_at_ms,
    )


def test_a_code_is_what_the_cloud_can_verify(desk: HandoverDesk) -> None:
    """The address leads to the chain's host; the code is signed for it and lasts less than a second less."""
    code = made(desk)
    base, _, text = code.address.rpartition("/c/")
    assert base == f"https://{wire.TENANT}.example.com"
    keys = [KeyRecord(wire.REGISTER_KEY.verification_key)]
    said = handover.verify_code(handover.parse_code(text), wire.TENANT, keys).handover
    assert (said.register, said.interaction, said.handover) == (
        wire.REGISTER,
        INTERACTION.bytes,
        code.handover,
    )
    assert said.expires_at_ms == code.expires_at_ms == 1_790_000_090_000
    assert code.until_ns - NOW_NS == 89_300 * 1_000_000
    assert text not in repr(code)


def test_a_yes_is_believed_once(desk: HandoverDesk) -> None:
    """T5: the same message again is a repetition, whatever else it says."""
    code = made(desk)
    assert desk.take(answered(code), NOW_NS) == (code, None)
    assert desk.take(answered(code), NOW_NS) == (None, Result.REPEATED)
    assert desk.take(replace(answered(code), language="de"), NOW_NS) == (None, Result.REPEATED)
    assert desk.open_for(INTERACTION, NOW_NS) is None


def test_what_this_register_has_not_made_is_unknown(desk: HandoverDesk) -> None:
    """A foreign code, and one of before the last start: nothing was kept over it."""
    before = HandoverDesk(wire.IDENTITY, wire.REGISTER_KEY, "https://{tenant}.example.com")
    assert desk.take(answered(made(before)), NOW_NS) == (None, Result.UNKNOWN)
    code = made(desk, 2)
    assert desk.take(replace(answered(code), handover=bytes(16)), NOW_NS) == (None, Result.UNKNOWN)
    assert desk.open_for(INTERACTION, NOW_NS) == code


@pytest.mark.parametrize(
    "wrong", [{"interaction": uuid7(NOW_MS, bytes(10)).bytes}, {"expires_at": 1_790_000_091_000}]
)
def test_a_code_counts_for_its_own_picture_and_time(desk: HandoverDesk, wrong: dict[str, object]) -> None:
    """Anything else that is said with it spends it."""
    code = made(desk)
    assert desk.take(replace(answered(code), **wrong), NOW_NS) == (code, Result.MISMATCH)  # type: ignore[arg-type]
    assert desk.take(answered(code), NOW_NS) == (None, Result.REPEATED)


def test_a_late_yes_is_refused_by_the_clock_that_nobody_sets(desk: HandoverDesk) -> None:
    """To the nanosecond, and the code cannot be shown any more either."""
    early, late = made(desk, 1), made(desk, 2)
    assert desk.take(answered(early), early.until_ns - 1) == (early, None)
    assert desk.open_for(INTERACTION, late.until_ns) is None
    assert desk.take(answered(late), late.until_ns) == (late, Result.LATE)


def test_few_codes_are_open_and_memory_is_bounded(desk: HandoverDesk) -> None:
    """The oldest are spent first; used ones are remembered up to a number."""
    codes = [made(desk, seed, uuid7(NOW_MS, bytes([seed]) * 10)) for seed in range(OPEN_MAX + 1)]
    assert desk.take(answered(codes[0]), NOW_NS) == (None, Result.REPEATED)
    assert desk.take(answered(codes[1]), NOW_NS) == (codes[1], None)
    for number in range(SPENT_MAX):
        code = desk.make(
            INTERACTION, hold_s=90, now_ms=NOW_MS, now_ns=NOW_NS, random=number.to_bytes(16, "big")
        )
        desk.take(answered(code), NOW_NS)
    assert len(desk._spent) == SPENT_MAX
    assert len(desk._open) <= OPEN_MAX
