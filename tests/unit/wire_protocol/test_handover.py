"""The code on a register's display: one spelling, one signer, one chain."""

import base64
from dataclasses import replace

import pytest

from tests.builders import wire_messages as wire
from wire_protocol import cbor, cose, handover
from wire_protocol.envelope import KeyRecord
from wire_protocol.errors import RefusedMessage
from wire_protocol.handover import HANDOVER_MAX_S, Handover, VerifiedCode, code_address, make_code
from wire_protocol.keys import SigningKey
from wire_protocol.reasons import Reason

KEYS = [KeyRecord(wire.REGISTER_KEY.verification_key)]


def read(code: str, tenant: str = wire.TENANT, keys: list[KeyRecord] = KEYS) -> VerifiedCode:
    return handover.verify_code(handover.parse_code(code), tenant, keys)


def signed(payload: object, protected: dict[int | str, object] | None = None) -> str:
    """A code of this register with whatever stands in it."""
    data = cose.cose_sign(protected or {}, cbor.encode(payload), wire.REGISTER_KEY, b"")  # type: ignore[arg-type]
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("key", [wire.REGISTER_KEY, wire.REGISTER_P256_KEY], ids=["ed25519", "p256"])
def test_a_code_says_what_it_was_made_of(key: SigningKey) -> None:
    """With either algorithm, in as few characters as are promised."""
    code = make_code(wire.HANDOVER, wire.TENANT, key)
    assert read(code, keys=[KeyRecord(key.verification_key)]).handover == wire.HANDOVER
    assert len(code) == 167
    assert wire.HANDOVER.expires_at_ms - wire.HANDOVER.issued_at_ms == 90_000


def test_the_longest_code_has_as_many_characters_as_are_allowed() -> None:
    """A register of 32 characters, the longest wait."""
    longest = replace(wire.HANDOVER, register="r" * 32, valid_s=HANDOVER_MAX_S)
    code = make_code(longest, "t" * 31, wire.REGISTER_KEY)
    assert len(code) == handover.CODE_MAX_CHARACTERS
    assert read(code, "t" * 31).handover == longest


def test_every_single_flip_of_a_code_is_refused_t5() -> None:
    """T5: each bit of each byte, and each character replaced by another."""
    data = base64.urlsafe_b64decode(wire.HANDOVER_CODE + "=")
    for index in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[index] ^= 1 << bit
            code = base64.urlsafe_b64encode(flipped).rstrip(b"=").decode()
            with pytest.raises(RefusedMessage):
                read(code)
    for index, character in enumerate(wire.HANDOVER_CODE):
        other = "A" if character != "A" else "B"
        with pytest.raises(RefusedMessage):
            read(wire.HANDOVER_CODE[:index] + other + wire.HANDOVER_CODE[index + 1 :])


@pytest.mark.parametrize("cut", [0, 1, 83, 166])
def test_a_part_of_a_code_is_none(cut: int) -> None:
    """Whatever is missing at its end."""
    with pytest.raises(RefusedMessage):
        read(wire.HANDOVER_CODE[:cut])


def test_a_code_has_one_spelling() -> None:
    """Padding, the other alphabet, bits left over at the end, white space, other characters: malformed."""
    code = wire.HANDOVER_CODE
    assert code.endswith("w")  # 167 characters are 125 bytes and two bits
    for spelling in (
        code + "=",
        code.replace("_", "/").replace("-", "+"),
        code[:-1] + "x",
        code + "\n",
        " " + code,
        code[:80] + "\u0435" + code[81:],
    ):
        with pytest.raises(RefusedMessage) as refused:
            handover.parse_code(spelling)
        assert refused.value.reason is Reason.MALFORMED, spelling


def test_a_long_code_is_refused_before_it_is_decoded() -> None:
    """What is too long costs nothing."""
    with pytest.raises(RefusedMessage) as refused:
        handover.parse_code("A" * (handover.CODE_MAX_CHARACTERS + 1))
    assert refused.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({}, Reason.MALFORMED),
        ([], Reason.MALFORMED),
        (["till-07", wire.INTERACTION, bytes(16), 1, 1, 1], Reason.MALFORMED),
        (["Till", wire.INTERACTION, bytes(16), 1, 1], Reason.BAD_PAYLOAD),
        (["till-07", wire.INTERACTION[1:], bytes(16), 1, 1], Reason.BAD_PAYLOAD),
        (["till-07", wire.INTERACTION, bytes(15), 1, 1], Reason.BAD_PAYLOAD),
        (["till-07", wire.INTERACTION, bytes(16), -1, 1], Reason.BAD_PAYLOAD),
        (["till-07", wire.INTERACTION, bytes(16), 1 << 47, 1], Reason.BAD_PAYLOAD),
        (["till-07", wire.INTERACTION, bytes(16), 1, 0], Reason.BAD_PAYLOAD),
        (["till-07", wire.INTERACTION, bytes(16), 1, HANDOVER_MAX_S + 1], Reason.BAD_PAYLOAD),
        (["till-07", wire.INTERACTION, bytes(16), True, 1], Reason.BAD_PAYLOAD),
    ],
)
def test_other_contents_are_refused(payload: object, reason: Reason) -> None:
    """Each position has its bounds."""
    with pytest.raises(RefusedMessage) as refused:
        handover.parse_code(signed(payload))
    assert refused.value.reason is reason


def test_another_header_is_refused() -> None:
    """A key id, a content type: a code has room for neither."""
    values = ["till-07", wire.INTERACTION, bytes(16), 1, 1]
    with pytest.raises(RefusedMessage) as refused:
        handover.parse_code(signed(values, {cose.HEADER_KEY_ID: bytes(16)}))
    assert refused.value.reason is Reason.MALFORMED


def test_a_code_of_another_chain_is_none_t7() -> None:
    """T7: the host's chain is part of what is signed, though the code does not carry it."""
    with pytest.raises(RefusedMessage) as refused:
        read(wire.HANDOVER_CODE, "gelateria-sud")
    assert refused.value.reason is Reason.BAD_SIGNATURE


def test_keys_count_within_their_time_and_few_are_tried() -> None:
    """The register's former key signs no new code; the one in force is found among several."""
    at_ms = wire.HANDOVER.issued_at_ms
    key = wire.REGISTER_KEY.verification_key
    over, to_come = KeyRecord(key, 0, at_ms - 1), KeyRecord(key, at_ms + 1)
    for keys in ([], [over, to_come]):
        with pytest.raises(RefusedMessage) as refused:
            read(wire.HANDOVER_CODE, keys=keys)
        assert refused.value.reason is Reason.UNKNOWN_KEY
    others = [
        KeyRecord(wire.CONSENT_KEY.verification_key),
        KeyRecord(wire.REGISTER_P256_KEY.verification_key),
    ]
    assert read(wire.HANDOVER_CODE, keys=[over, *others, *KEYS]).handover == wire.HANDOVER
    with pytest.raises(RefusedMessage):
        read(wire.HANDOVER_CODE, keys=[others[0]] * handover.KEYS_TRIED_MAX + KEYS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"register": "Till"},
        {"handover": b""},
        {"issued_at_s": -1},
        {"valid_s": 0},
        {"valid_s": HANDOVER_MAX_S + 1},
    ],
)
def test_no_code_is_made_that_would_be_refused(wrong: dict[str, object]) -> None:
    """Its bounds hold for who signs, too."""
    with pytest.raises(ValueError, match="expected"):
        make_code(replace(wire.HANDOVER, **wrong), wire.TENANT, wire.REGISTER_KEY)  # type: ignore[arg-type]


def test_the_address_is_the_base_and_the_code() -> None:
    """One slash between them."""
    assert code_address("https://nord.example/", "abc") == "https://nord.example/c/abc"
    assert isinstance(wire.HANDOVER, Handover)
