"""Codes that people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire_protocol import crockford


@given(st.binary(max_size=40).filter(lambda data: len(data) % 5 == 0))
def test_text_spells_the_same_bytes_again_however_it_is_grouped_and_cased(data: bytes) -> None:
    """Grouping and small letters change nothing."""
    symbols = crockford.encode(data)
    assert crockford.decode(symbols) == data
    assert crockford.decode(crockford.grouped(symbols).lower()) == data


def test_what_people_confuse_is_read_as_what_was_meant() -> None:
    """I and L are 1, O is 0, blanks do not matter."""
    assert crockford.decode("oil1 0il1") == crockford.decode("0111-0111")


def test_what_stands_in_no_code_is_named() -> None:
    """The error shows the character."""
    with pytest.raises(ValueError, match="'U'"):
        crockford.decode("0000u000")


@pytest.mark.parametrize("symbols", ["0", "0000000", "000000000"])
def test_half_bytes_are_no_code(symbols: str) -> None:
    """Eight symbols are five bytes, and nothing else fits."""
    with pytest.raises(ValueError, match="multiple"):
        crockford.decode(symbols)


def test_bytes_that_would_leave_bits_over_are_refused() -> None:
    """Only multiples of five bytes have symbols of their own."""
    with pytest.raises(ValueError, match="multiple"):
        crockford.encode(b"four")
