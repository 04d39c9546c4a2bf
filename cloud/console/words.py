"""How values are written for people: times, amounts, shares. Pure; the templates' filters."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

NOTHING: Final = "–"  # noqa: RUF001 - a dash for people
_UNITS: Final = ((86_400, "day"), (3600, "hour"), (60, "minute"))


def when(at_ms: int | None) -> str:
    """`12 Nov 2026, 14:03 UTC`."""
    if at_ms is None:
        return NOTHING
    at = _utc(at_ms)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def day(at_ms: int | None) -> str:
    """`12 Nov 2026`."""
    if at_ms is None:
        return NOTHING
    at = _utc(at_ms)
    return f"{at.day} {at:%b %Y}"


def iso(at_ms: int) -> str:
    """As `<time datetime>` has it."""
    return _utc(at_ms).isoformat(timespec="seconds").replace("+00:00", "Z")


def ago(at_ms: int | None, now_ms: int) -> str:
    """`just now`, `5 minutes ago`, `in 3 days`."""
    if at_ms is None:
        return "never"
    seconds = abs(now_ms - at_ms) // 1000
    if seconds < 60:
        return "just now" if at_ms <= now_ms + 1000 else "in a moment"
    span = duration(seconds)
    return f"{span} ago" if at_ms <= now_ms else f"in {span}"


def duration(seconds: float) -> str:
    """`45 seconds`, `5 minutes`, `3 hours`, `12 days`: the greatest unit alone."""
    for size, name in _UNITS:
        if seconds >= size:
            return count(int(seconds // size), name)
    return count(int(seconds), "second")


def count(number: int, thing: str, things: str | None = None) -> str:
    """`1 register`, `2,140 registers`."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def number(value: float | None, digits: int = 0) -> str:
    """`12,345`, or with digits `3.10`."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def milliseconds(value: float | None) -> str:
    """`3.1 ms`, with digits enough to tell; a register that answered nothing yet reports 0."""
    if value is None or value <= 0:
        return NOTHING
    return f"{value:.2f} ms" if value < 1 else f"{value:.1f} ms" if value < 100 else f"{value:,.0f} ms"


def size(value: float | None) -> str:
    """`1.2 MB`, in powers of a thousand."""
    if value is None:
        return NOTHING
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(value) < 1000 or unit == "GB":
            return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:,.1f} {unit}"
        value /= 1000
    raise AssertionError("GB ends the loop")


def percent(value: float | None, digits: int = 1) -> str:
    """`62.5 %` of a share between 0 and 1."""
    return NOTHING if value is None else f"{value * 100:.{digits}f} %"


def short(digest: str | None) -> str:
    """The first twelve characters of a digest: enough to compare by eye."""
    return NOTHING if not digest else digest[:12]


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "when": when,
    "day": day,
    "iso": iso,
    "ago": ago,
    "duration": duration,
    "count_of": count,
    "number": number,
    "milliseconds": milliseconds,
    "size": size,
    "percent": percent,
    "short": short,
}


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC)
