import math

import cbor2
import pytest

from wire_protocol import cbor
from wire_protocol.errors import RefusedMessage
from wire_protocol.limits import DEPTH_MAX, ITEMS_MAX, MESSAGE_MAX_BYTES
from wire_protocol.reasons import Reason

_REFUSED = {
    "nothing": "",
    "bytes after the value": "0000",
    "end inside a byte string": "41",
    "a length that nobody sent": "5bffffffffffffffff",
    "an array of 2**64 elements": "9bffffffffffffffff",
    "a map of 2**40 pairs": "bb0000010000000000",
    "indefinite array": "9f00ff",
    "indefinite map": "bf616100ff",
    "indefinite byte string": "5f4161ff",
    "indefinite text": "7f6161ff",
    "a break alone": "ff",
    "a longer head than needed": "1817",
    "an integer in eight bytes": "1b0000000000000001",
    "a length in two bytes": "59000100",
    "keys out of order": "a2616200616100",
    "longer key first": "a262616100616100",
    "duplicate text keys": "a2616100616101",
    "duplicate integer keys": "a201000101",
    "1 and true as keys": "a20100f501",
    "1 and 1.0 as keys": "a20100f93c0001",
    "a boolean as key": "a1f500",
    "a byte string as key": "a1416100",
    "a float as key": "a1f93c0000",
    "an array as key": "a18000",
    "an integer key of two bytes": "a1181800",
    "not a number": "f97e00",
    "infinity": "f97c00",
    "minus infinity": "f9fc00",
    "another not-a-number": "f97e01",
    "1.0 in four bytes": "fa3f800000",
    "1.0 in eight bytes": "fb3ff0000000000000",
    "minus zero in four bytes": "fa80000000",
    "undefined": "f7",
    "simple value 16": "f0",
    "simple value 255": "f8ff",
    "false in two bytes": "f814",
    "text that is no UTF-8": "61ff",
    "half a surrogate pair": "63eda080",
    "an overlong UTF-8 form": "62c080",
    "an integer below -2**63": "3b8000000000000000",
    "an integer of -2**64": "3bffffffffffffffff",
    "reserved head": "1c",
}


@pytest.mark.parametrize("text", _REFUSED.values(), ids=_REFUSED)
def test_anything_but_the_one_encoding_is_refused(text: str) -> None:
    """T2: each is malformed, and none crashes the decoder."""
    with pytest.raises(RefusedMessage) as refused:
        cbor.decode(bytes.fromhex(text))
    assert refused.value.reason is Reason.MALFORMED


_ONE_ENCODING = {
    "00": 0,
    "17": 23,
    "1818": 24,
    "1bffffffffffffffff": (1 << 64) - 1,
    "20": -1,
    "3b7fffffffffffffff": -(1 << 63),
    "f90000": 0.0,
    "f98000": -0.0,
    "f93c00": 1.0,
    "f97bff": 65504.0,
    "fa477fe100": 65505.0,
    "fb3fb999999999999a": 0.1,
    "f90001": 2.0**-24,
    "fb7e37e43c8800759c": 1e300,
    "f4": False,
    "f5": True,
    "f6": None,
    "40": b"",
    "60": "",
    "62c3bc": "ü",
    "80": [],
    "a0": {},
    "a201f520f4": {1: True, -1: False},
    "a301026002616103": {1: 2, "": 2, "a": 3},
    "a361610061620062616100": {"a": 0, "b": 0, "aa": 0},
}


@pytest.mark.parametrize(("text", "value"), _ONE_ENCODING.items(), ids=_ONE_ENCODING)
def test_each_value_has_one_encoding(text: str, value: cbor.Value) -> None:
    """Shortest integers and floats, keys by length and then by bytes."""
    assert cbor.encode(value).hex() == text
    decoded = cbor.decode(bytes.fromhex(text))
    assert decoded == value
    assert type(decoded) is type(value)
    if isinstance(value, float):
        assert math.copysign(1, decoded) == math.copysign(1, value)


def test_order_of_keys_is_that_of_rfc_8949_too() -> None:
    """With text keys and integers of one byte the old order (by length) and the new one (by bytes) agree."""
    keys = [*range(-24, 24), *("x" * length for length in (0, 1, 2, 22, 23, 24, 25, 255, 256)), "y", "é"]
    encoded = cbor.encode(dict.fromkeys(keys, 0))
    order = list(cbor2.loads(encoded))
    assert order == sorted(keys, key=cbor2.dumps)


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, 1 << 64, -(1 << 63) - 1, {True: 0}, {24: 0}, {b"": 0}, {1.0: 0}, {1, 2}, ...,
     bytearray(b""), "\ud800", {"\ud800": 0}, [cbor2.undefined], cbor2.CBORTag(2, b"")],
    ids=repr,
)  # fmt: skip
def test_what_the_protocol_does_not_carry_is_the_callers_mistake(value: cbor.Value) -> None:
    """Nothing is encoded that the other side would refuse."""
    with pytest.raises(TypeError):
        cbor.encode(value)


def test_nesting_ends_where_the_limit_says() -> None:
    """Encoder and decoder agree on the depth."""
    deep: cbor.Value = 0
    for _ in range(DEPTH_MAX):
        deep = [deep]
    assert cbor.decode(cbor.encode(deep)) == deep
    with pytest.raises(TypeError):
        cbor.encode([deep])
    with pytest.raises(RefusedMessage):
        cbor.decode(cbor2.dumps([deep]))
    with pytest.raises(RefusedMessage):
        cbor.decode(b"\x81" * 100_000 + b"\0")


def test_a_value_that_holds_itself_is_not_encoded() -> None:
    """No endless recursion on our own side either."""
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(TypeError):
        cbor.encode(loop)


class TestTags:
    """T2, T19: cbor2 would act on tags before anybody could look at the value."""

    def test_no_tag_is_decoded(self) -> None:
        """All of two bytes, and some longer: each is stopped by the refusal that is set for it."""
        tags = [*range(1 << 16), 1 << 16, (1 << 32) - 1, (1 << 64) - 1]
        for tag in tags:
            head = cbor2.dumps(cbor2.CBORTag(tag, 0))[:-1]
            with pytest.raises(RefusedMessage) as refused:
                cbor.decode(head + b"\0")
            assert isinstance(refused.value.__cause__, cbor2.CBORDecodeError)
            assert str(refused.value.__cause__.__cause__) == "the protocol uses no tags", tag

    def test_a_cycle_is_refused(self) -> None:
        """Tags 28 and 29 can make a list that holds itself."""
        with pytest.raises(RefusedMessage):
            cbor.decode(bytes.fromhex("d81c81d81d00"))

    def test_a_value_that_doubles_at_every_step_is_refused_before_it_grows(self) -> None:
        """A kilobyte of references that stand for eight million values."""
        step = bytes.fromhex("d81c98c8")
        laughs = b"".join(step + bytes([0xD8, 0x1D, index]) * 200 for index in range(3))
        with pytest.raises(RefusedMessage, match=r"tag 28|tag 29|items"):
            cbor.decode(b"\x84" + bytes.fromhex("d81c8100") + laughs)

    def test_a_regular_expression_is_not_compiled(self) -> None:
        """Tag 35 would compile the sender's pattern."""
        with pytest.raises(RefusedMessage, match="tag 35"):
            cbor.decode(bytes.fromhex("d8236128"))


@pytest.mark.parametrize("item", [b"\x00", b"\x80", b"\xa0", b"\xf9\x3c\x00", b"\x41\x00"], ids=bytes.hex)
def test_a_message_of_nothing_but_items_is_refused_before_it_is_decoded(
    item: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T19: 128 KiB of them cost a decoder half a second, and that before any signature."""
    count = MESSAGE_MAX_BYTES // len(item)
    monkeypatch.setattr(cbor2, "loads", lambda *_, **__: pytest.fail("it was decoded"))
    with pytest.raises(RefusedMessage, match="items") as refused:
        cbor.decode(b"\x9a" + count.to_bytes(4) + item * count)
    assert refused.value.reason is Reason.MALFORMED


def test_as_many_items_as_are_allowed() -> None:
    """The array counts as one; strings are long without being many."""
    most = [b"scoop"] * (ITEMS_MAX - 1)
    assert cbor.decode(cbor.encode(most)) == most
    with pytest.raises(RefusedMessage, match="items"):
        cbor.decode(cbor.encode([*most, b""]))
    long = [bytes(100_000), "long" * 2000, -(1 << 60), 0.1]
    assert cbor.decode(cbor.encode(long)) == long
