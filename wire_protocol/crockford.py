"""Bytes as text that people read out and type: base 32 in Crockford's alphabet, in groups of four.

Reading forgives what people confuse: small letters, I and L for 1, O for 0, hyphens and spaces anywhere.
"""

from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # without I, L, O, U
_BITS: Final = 5
_GROUP: Final = 4
_VALUES: Final = {symbol: value for value, symbol in enumerate(ALPHABET)} | {"I": 1, "L": 1, "O": 0}
_IGNORED: Final = str.maketrans("", "", "- \t\r\n")


def encode(data: bytes) -> str:
    """`data` as symbols without hyphens.

    Raises:
        ValueError: Not a multiple of five bytes, so its symbols would not end with a byte.
    """
    if len(data) % _BITS:
        raise ValueError(f"{len(data)} bytes are no multiple of {_BITS}")
    number = int.from_bytes(data)
    length = len(data) * 8 // _BITS
    return "".join(ALPHABET[number >> _BITS * place & 31] for place in reversed(range(length)))


def grouped(symbols: str) -> str:
    """Symbols in groups of four, as they are printed."""
    return "-".join(symbols[at : at + _GROUP] for at in range(0, len(symbols), _GROUP))


def symbols_of(text: str) -> str:
    """What was typed, in the alphabet's own spelling and without what separates groups.

    Raises:
        ValueError: A character is none of the alphabet; the message names it.
    """
    typed = text.translate(_IGNORED).upper()
    for character in typed:
        if character not in _VALUES:
            raise ValueError(f"{character!r} stands in no code; codes use digits and letters without U")
    return "".join(ALPHABET[_VALUES[character]] for character in typed)


def decode(text: str) -> bytes:
    """The bytes that `text` spells.

    Raises:
        ValueError: Another character, or not a multiple of eight symbols.
    """
    symbols = symbols_of(text)
    if len(symbols) % 8:
        raise ValueError(f"{len(symbols)} symbols, not a multiple of 8")
    number = 0
    for symbol in symbols:
        number = number << _BITS | _VALUES[symbol]
    return number.to_bytes(len(symbols) * _BITS // 8)
