"""Codes that a person reads on a device and types on a phone (RFC 8628, 6.1). Pure."""

import hashlib
from typing import Final

ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so no words; no digits that look like letters."""
LETTERS: Final = 8
"""20⁸ codes: at five tries a minute it takes thousands of years to try them, and one lives ten minutes."""
CODES: Final = len(ALPHABET) ** LETTERS


def user_code(random: int) -> str:
    """The code of an unpredictable number below `CODES`."""
    letters = []
    for _ in range(LETTERS):
        random, one = divmod(random, len(ALPHABET))
        letters.append(ALPHABET[one])
    return "".join(letters)


def shown(code: str) -> str:
    """As people read it: `BCDF-GHJK`."""
    return f"{code[:4]}-{code[4:]}"


def typed(text: str) -> str | None:
    """The code that somebody typed, in capitals or not, with or without the hyphen; None where it is none."""
    plain = "".join(one for one in text.upper() if one.isalnum())
    return plain if len(plain) == LETTERS and set(plain) <= set(ALPHABET) else None


def digest(code: str) -> bytes:
    """What the database holds of a code."""
    return hashlib.sha256(code.encode()).digest()
