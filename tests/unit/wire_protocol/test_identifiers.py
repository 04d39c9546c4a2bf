"""Names and UUIDs that registers and the cloud agree on."""

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire_protocol.identifiers import is_name, parse_uuid7, uuid7, uuid7_time

_MILLISECONDS = st.integers(0, (1 << 48) - 1)
_RANDOM = st.binary(min_size=10, max_size=10)


def test_matches_the_example_of_the_rfc() -> None:
    """RFC 9562, appendix A.6: 2022-02-22T19:22:22Z with the random bits given there."""
    expected = uuid.UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    assert uuid7(0x017F22E279B0, bytes.fromhex("0cc398c4dc0c0c07398f")) == expected


@given(_MILLISECONDS, _RANDOM)
def test_every_value_is_a_version_7_of_the_right_time(now_ms: int, random_bytes: bytes) -> None:
    """Version, variant and time survive, whatever the time and the random bytes."""
    value = uuid7(now_ms, random_bytes)
    assert value.version == 7
    assert value.variant == uuid.RFC_4122
    assert value.int >> 80 == now_ms
    assert parse_uuid7(str(value)) == value


@given(_MILLISECONDS, _MILLISECONDS, _RANDOM, _RANDOM)
def test_later_sorts_after_earlier(one_ms: int, other_ms: int, a: bytes, b: bytes) -> None:
    """Ids of different milliseconds sort by time, as bytes and as text."""
    if one_ms < other_ms:
        assert str(uuid7(one_ms, a)) < str(uuid7(other_ms, b))


def test_time_is_utc() -> None:
    """The time of an id is an aware one."""
    assert uuid7_time(uuid7(1_700_000_000_000, bytes(10))) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize(("now_ms", "random_bytes"), [(-1, bytes(10)), (1 << 48, bytes(10)), (0, bytes(9))])
def test_impossible_parts_are_refused(now_ms: int, random_bytes: bytes) -> None:
    """A time beyond 48 bits or too few random bytes are a programming error, said at once."""
    with pytest.raises(ValueError, match="must"):
        uuid7(now_ms, random_bytes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "017f22e279b07cc398c4dc0c0c07398f",
        "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        "017f22e2-79b0-4cc3-98c4-dc0c0c07398f",
    ],
)
def test_only_the_canonical_form_of_version_7_is_read(text: str) -> None:
    """Other spellings and versions are refused: one id has one spelling."""
    with pytest.raises(ValueError, match=r"UUID|form"):
        parse_uuid7(text)


@pytest.mark.parametrize("text", ["a", "gelateria-sole", "till-07", "x" * 32])
def test_names(text: str) -> None:
    """Lower-case letters, digits and inner hyphens name things."""
    assert is_name(text)


@pytest.mark.parametrize("text", ["", "-a", "a-", "A", "a b", "a/b", "a+", "#", "é", "x" * 33, "a\n"])
def test_what_would_break_a_topic_is_no_name(text: str) -> None:
    """Anything with a meaning in an MQTT topic or a path is no name."""
    assert not is_name(text)
