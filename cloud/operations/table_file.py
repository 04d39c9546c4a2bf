"""Rows of one table as lines of text: the same for every database, so a backup of one restores into another.

First line: the names of the columns. Then a line a row, a JSON list; bytes are base64.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import LargeBinary, Table


def header(table: Table) -> bytes:
    """The first line."""
    return _line([column.name for column in table.columns])


def row_line(table: Table, row: Sequence[Any]) -> bytes:
    """One row, in the order of the table's columns."""
    return _line([_text_of(value) for _, value in zip(table.columns, row, strict=True)])


def rows_of(table: Table, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """What `header` and `row_line` wrote, as values to insert.

    Raises:
        ValueError: The columns are not the table's, or a line is none of ours.
    """
    source = iter(lines)
    names = json.loads(next(source, b"null"))
    if names != [column.name for column in table.columns]:
        raise ValueError(f"columns of {table.name} are {names!r:.200}")
    for line in source:
        values = json.loads(line)
        yield {
            column.name: _binary_of(value) if isinstance(column.type, LargeBinary) else value
            for column, value in zip(table.columns, values, strict=True)
        }


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _text_of(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes | memoryview) else value


def _binary_of(value: Any) -> bytes | None:
    return None if value is None else base64.b64decode(value, validate=True)
