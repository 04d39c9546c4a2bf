"""Wrapped keys open with their own key, tenant and blank, and with nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.privacy.wrapping import (
    DESTROYED,
    WRAPPED_BYTES,
    WrongKey,
    consent_binding,
    day_binding,
    unwrap,
    wrap,
)

UNDER, KEY, NONCE = bytes(range(32)), bytes(range(32, 64)), bytes(12)
BINDING = consent_binding("nord", bytes(16))
WRAPPED = wrap(KEY, UNDER, BINDING, NONCE)


def test_a_wrapped_key_has_one_length_and_opens() -> None:
    assert len(WRAPPED) == WRAPPED_BYTES == len(DESTROYED)
    assert unwrap(WRAPPED, UNDER, BINDING) == KEY


@given(st.integers(0, WRAPPED_BYTES * 8 - 1))
def test_every_flipped_bit_is_noticed(bit: int) -> None:
    flipped = bytearray(WRAPPED)
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(WrongKey):
        unwrap(bytes(flipped), UNDER, BINDING)


@pytest.mark.parametrize(
    "binding", [consent_binding("sued", bytes(16)), consent_binding("nord", bytes(15) + b"\1"), b""]
)
def test_a_row_that_was_moved_elsewhere_does_not_open(binding: bytes) -> None:
    with pytest.raises(WrongKey):
        unwrap(WRAPPED, UNDER, binding)


def test_another_key_and_a_destroyed_one_do_not_open() -> None:
    for wrapped, under in ((WRAPPED, KEY), (DESTROYED, UNDER), (b"", UNDER)):
        with pytest.raises(WrongKey):
            unwrap(wrapped, under, BINDING)


def test_bindings_tell_tenants_days_and_blanks_apart() -> None:
    """No tenant's name and day run together into another's."""
    assert (
        len(
            {day_binding("a", "b"), day_binding("a-b", ""), consent_binding("a", b"b"), day_binding("ab", "")}
        )
        == 4
    )


@pytest.mark.parametrize(
    ("key", "under", "nonce"), [(KEY[1:], UNDER, NONCE), (KEY, b"", NONCE), (KEY, UNDER, b"")]
)
def test_wrong_lengths_are_mistakes_of_the_caller(key: bytes, under: bytes, nonce: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        wrap(key, under, BINDING, nonce)
