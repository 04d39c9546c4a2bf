"""`Accept-Language` (RFC 9110, section 12.5.4). Pure."""

from collections.abc import Collection
from typing import Final

_WISHES_MAX: Final = 20


def wishes(header: str) -> list[str]:
    """The languages of the header in lower case, the most wanted first; what cannot be read is not wanted."""
    weighed: list[tuple[float, str]] = []
    for part in header.split(",")[:_WISHES_MAX]:
        name, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if 0 < quality <= 1:
            weighed.append((quality, name.strip().lower()))
    return [name for _, name in sorted(weighed, key=lambda one: -one[0])]


def preferred(asked: str | None, header: str | None, there: Collection[str]) -> str | None:
    """The language to answer in, of those that there are; None where none of them is wanted.

    Args:
        asked: Named by the client itself, such as `de-AT`: comes first.
        header: Its `Accept-Language`.
        there: In lower case, such as `de`.
    """
    for wish in ([asked.lower()] if asked else []) + wishes(header or ""):
        for candidate in (wish, wish.partition("-")[0]):
            if candidate in there:
                return candidate
    return None
