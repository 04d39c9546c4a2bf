"""Base64url and JSON as tokens carry them: one way to write each value, and no other is read. Pure."""

import base64
import json
import re
from typing import Any, Final

_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]*\Z")


def base64url(data: bytes) -> str:
    """Base64 for addresses, without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """What `base64url` wrote; raises ValueError for anything that it would not write."""
    if not _ALPHABET.match(text):
        raise ValueError("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64url(data) != text:
        raise ValueError("not base64url as it is written")
    return data


def strict_json(data: bytes) -> dict[str, Any]:
    """A JSON object whose names are unique (RFC 7515, 4 and RFC 7519, 4).

    Raises:
        ValueError: It is none, a name stands twice, a number is none, or it is nested beyond reason.
    """
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - of the document, not of an argument
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number in JSON")
