"""The code that an operator types once."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire_protocol import crockford, enrolment_code

CA = b"the certificate of an authority, in DER"
CA_SHA256 = hashlib.sha256(CA).digest()


@given(st.binary(min_size=15, max_size=15))
def test_a_code_says_its_secret_and_whose_authority_it_is(secret: bytes) -> None:
    """What was made is read again, typed in small letters too."""
    code = enrolment_code.parse(enrolment_code.make(secret, CA_SHA256).lower())
    assert code.secret == secret
    assert code.is_for(CA)
    assert not code.is_for(CA + b"x")
    assert crockford.decode(code.invitation) == secret[:5]


def test_a_mistyped_symbol_anywhere_is_noticed_at_the_register() -> None:
    """Each symbol changed to the next: none is read as a code."""
    symbols = crockford.symbols_of(enrolment_code.make(bytes(range(15)), CA_SHA256))
    for at, symbol in enumerate(symbols):
        other = crockford.ALPHABET[(crockford.ALPHABET.index(symbol) + 1) % 32]
        with pytest.raises(ValueError, match="mistyped"):
            enrolment_code.parse(symbols[:at] + other + symbols[at + 1 :])


@pytest.mark.parametrize("text", ["", "ABCD", "0" * 45, "0" * 43])
def test_another_length_is_named(text: str) -> None:
    """The error says how many symbols a code has."""
    with pytest.raises(ValueError, match="44 symbols"):
        enrolment_code.parse(text)


def test_a_code_shows_no_secret_where_it_is_printed() -> None:
    """A traceback or log that shows the object shows the invitation only."""
    code = enrolment_code.parse(enrolment_code.make(bytes(range(15)), CA_SHA256))
    assert repr(code) == f"EnrolmentCode(invitation='{code.invitation}')"


@pytest.mark.parametrize(("secret", "ca"), [(b"short", CA_SHA256), (bytes(15), b"short")])
def test_other_lengths_make_no_code(secret: bytes, ca: bytes) -> None:
    """A caller's mistake is an error, not a weak code."""
    with pytest.raises(ValueError, match="15 bytes"):
        enrolment_code.make(secret, ca)
