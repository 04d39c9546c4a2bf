"""The table that a person reads."""

from collections.abc import Sequence

from benchmarks.verdict import BaselineCheck, Figure

_HEADERS = ("figure", "goal", "measured", "verdict", "")


def render(figures: Sequence[Figure], baselines: Sequence[BaselineCheck]) -> str:
    """Figures with their goals, then the baselines with their references."""
    rows = [
        (
            figure.name,
            str(figure.goal or ""),
            measured(figure),
            figure.verdict.value,
            figure.note.split("\n")[0],
        )
        for figure in figures
    ]
    text = _columns([_HEADERS, *rows])
    if baselines:
        text += "\n\n" + _columns(
            [("baseline", "reference", "measured", "verdict", ""), *map(_check_row, baselines)]
        )
    return text


def measured(figure: Figure) -> str:
    """The value with three significant digits and its unit, or a dash."""
    if figure.value is None:
        return "-"
    digits = f"{figure.value:.0f}" if abs(figure.value) >= 100 else f"{figure.value:.3g}"
    return f"{digits} {figure.unit}".rstrip()


def _check_row(check: BaselineCheck) -> tuple[str, ...]:
    verdict = "slow" if check.slow else ("as it should" if check.comparable else "not compared")
    return check.name, f"{check.reference_ms:.3f} ms", f"{check.measured_ms:.3f} ms", verdict, check.note


def _columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join([lines[0], "─" * max(map(len, lines)), *lines[1:]])
