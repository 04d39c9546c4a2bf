"""What changed of a page's live lists since it was last sent. Pure.

A page's live parts are lists of keyed fragments, rendered and escaped by the server: rows of a table, tiles,
entries of a timeline. A stream sends the fragments that are new or other than before, and the order where it
changed. The state's name is a digest, so a browser that comes back after any gap says what it has, and gets
nothing or everything, and no server remembers it.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Final

Parts = Mapping[str, Sequence[tuple[str, str]]]
"""By name of the list: its fragments in order, each (key, HTML of one element)."""
Known = Mapping[str, Mapping[str, str]]
"""By name of the list: the digest of each fragment, in order."""

_RELATIVE: Final = re.compile(r"(<time [^>]*data-ago[^>]*>)[^<]*")


def known(parts: Parts) -> Known:
    """What a browser has that shows `parts`.

    `5 minutes ago` goes on by itself in the browser and is no news.
    """
    return {
        name: {key: _digest(_RELATIVE.sub(r"\1", html)) for key, html in fragments}
        for name, fragments in parts.items()
    }


def state(has: Known) -> str:
    """A short name of all that."""
    text = "\n".join(f"{name}\0{key}\0{digest}" for name, rows in has.items() for key, digest in rows.items())
    return _digest(text)


def difference(before: Known, parts: Parts) -> list[dict[str, object]]:
    """What a browser that has `before` must change to show `parts`; [] where nothing.

    Each entry names a `list`, its `keys` in their new order (null where it did not change), and the `html` of
    the fragments that are new or other than before.
    """
    changes: list[dict[str, object]] = []
    for name, after in known(parts).items():
        old = before.get(name, {})
        html = {key: text for key, text in parts[name] if old.get(key) != after[key]}
        moved = list(old) != list(after)
        if html or moved:
            changes.append({"list": name, "keys": list(after) if moved else None, "html": html})
    return changes


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
