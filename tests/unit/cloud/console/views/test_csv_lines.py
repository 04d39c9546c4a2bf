"""CSV that runs nothing."""

import csv

import pytest

from cloud.console.views.csv_lines import csv_lines


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")']
)
def test_what_looks_like_a_formula_is_text(cell: str) -> None:
    """T24: a register or a reason that begins with = runs in no spreadsheet."""
    _, line = csv_lines(["a"], [[cell]])
    assert next(csv.reader([line], strict=True))[0].startswith("'") or cell.startswith("\r")
    assert "'" + cell[:1] in line


def test_everything_else_stays_as_it_is() -> None:
    """Commas, quotes, line ends and negative numbers survive."""
    rows = [["a,b", 'say "x"', -3, None, "two\nlines"]]
    text = "".join(csv_lines(["1", "2", "3", "4", "5"], rows))
    assert list(csv.reader(text.splitlines(keepends=True), strict=True))[1] == [
        "a,b",
        'say "x"',
        "-3",
        "",
        "two\nlines",
    ]
