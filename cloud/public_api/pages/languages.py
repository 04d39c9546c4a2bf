"""The languages of the pages for phones, and which one a browser gets. Pure."""

from collections.abc import Mapping
from typing import Final

FALLBACK: Final = "en"
LANGUAGES: Final = (FALLBACK, "de", "fr", "it", "es")
"""In the order of the switch."""
COOKIE: Final = "topscoop-language"
"""What somebody chose; the pages' script writes it, and it says nothing else."""
_WISHES_MAX: Final = 20


def choose_language(asked: str | None, kept: str | None, accept: str | None) -> str:
    """The language of a page.

    Args:
        asked: Of the address, `?language=`.
        kept: Of the cookie.
        accept: The header `Accept-Language` (RFC 9110, 12.5.4).
    """
    for candidate in (asked, kept, *_wishes(accept or "")):
        main = (candidate or "").partition("-")[0].lower()
        if main in LANGUAGES:
            return main
    return FALLBACK


def _wishes(accept: str) -> list[str]:
    """The header's languages, the most wanted first; what cannot be read counts as not wanted."""
    weighed: list[tuple[float, str]] = []
    for part in accept.split(",")[:_WISHES_MAX]:
        name, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if 0 < quality <= 1:
            weighed.append((quality, name.strip()))
    return [name for _, name in sorted(weighed, key=lambda one: -one[0])]


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with its `{names}` filled in; braces of a value stay what they are."""
    parts = text.split("{")
    said = parts[0]
    for part in parts[1:]:
        name, _, rest = part.partition("}")
        said += values[name] + rest
    return said
