"""The languages of the pages for phones, and which one a browser gets. Pure."""

from collections.abc import Mapping
from typing import Final

from cloud.public_api.accept_language import wishes

FALLBACK: Final = "en"
LANGUAGES: Final = (FALLBACK, "de", "fr", "it", "es")
"""In the order of the switch."""
COOKIE: Final = "topscoop-language"
"""What somebody chose; the pages' script writes it, and it says nothing else."""


def choose_language(asked: str | None, kept: str | None, accept: str | None) -> str:
    """The language of a page.

    Args:
        asked: Of the address, `?language=`.
        kept: Of the cookie.
        accept: The header `Accept-Language` (RFC 9110, 12.5.4).
    """
    for candidate in (asked, kept, *wishes(accept or "")):
        main = (candidate or "").partition("-")[0].lower()
        if main in LANGUAGES:
            return main
    return FALLBACK


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with its `{names}` filled in; braces of a value stay what they are."""
    parts = text.split("{")
    said = parts[0]
    for part in parts[1:]:
        name, _, rest = part.partition("}")
        said += values[name] + rest
    return said
