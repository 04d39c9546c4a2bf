"""What a chain knows a person by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.identity.pseudonyms import user_of

KEY, OTHER = bytes(32), bytes([1]) * 32


@given(
    st.tuples(st.text(max_size=20), st.text(max_size=20)),
    st.tuples(st.text(max_size=20), st.text(max_size=20)),
)
def test_two_people_are_two_users(one: tuple[str, str], two: tuple[str, str]) -> None:
    """Issuer and subject cannot be shifted into each other."""
    assert (user_of(KEY, *one) == user_of(KEY, *two)) == (one == two)


def test_chains_know_the_same_person_by_different_numbers() -> None:
    assert user_of(KEY, "https://login.example", "anna") != user_of(OTHER, "https://login.example", "anna")


def test_it_stays_the_same() -> None:
    """A change would make everybody somebody new."""
    known = "58c1c5fd"
    assert user_of(KEY, "https://login.example", "anna").hex()[:8] == known


def test_a_key_of_another_length_is_none() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        user_of(b"", "a", "b")
