"""Tables as CSV that a spreadsheet opens without running any of it. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell that begins with one of these is a formula to some spreadsheet."""


def csv_lines(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The head and each row as a line (RFC 4180); None is an empty cell."""
    yield _line(head)
    for row in rows:
        yield _line([_cell(value) for value in row])


def _cell(value: object) -> str:
    """What is text and looks like a formula gets an apostrophe in front, which spreadsheets do not show."""
    if value is None:
        return ""
    text = str(value)
    return "'" + text if isinstance(value, str) and text.startswith(_FORMULA) else text


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
