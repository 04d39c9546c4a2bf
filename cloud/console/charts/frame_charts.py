"""The charts of frames that arrive, and of what was refused. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from cloud.console.charts.values import Chart, Series, Shape, Tone, table_of

HOUR_MS: Final = 3_600_000
_TONES: Final = (Tone.BAD, Tone.WARN, Tone.CALM, Tone.OTHER, Tone.ASIDE)
"""The most frequent reasons have a colour of their own; the rest is together."""


def arrivals_chart(stored: Mapping[int, int], first_ms: int, hours: int) -> Chart:
    """Frames stored, hour by hour.

    Args:
        stored: How many, by the hour's first millisecond.
        first_ms: The first hour's first millisecond.
        hours: How many hours.
    """
    starts = [first_ms + index * HOUR_MS for index in range(hours)]
    counts = [stored.get(start, 0) for start in starts]
    rows = [
        (f"{_utc(start):%d %b, %H:%M}", f"{number:,}")
        for start, number in zip(reversed(starts), reversed(counts), strict=True)
        if number
    ]
    points = tuple(zip(starts, map(float, counts), strict=True))
    return Chart(
        name="arrivals",
        title=f"Frames stored, last {hours} hours",
        shape=Shape.STACKS,
        x_title="hour (UTC)",
        y_title="frames",
        series=(Series("frames stored", Tone.CALM, points if any(counts) else ()),),
        table=table_of(("hour (UTC)", "frames stored"), rows),
        alternative=f"In the last {hours} hours {sum(counts):,} frames were stored.",
        time=True,
    )


def refusals_chart(counts: Iterable[tuple[str, str, int]], days: Sequence[str]) -> Chart:
    """Messages refused, day by day, by reason.

    Args:
        counts: Day (`2026-11-22`), reason, how many; a pair may come more than once.
        days: Those that are shown, oldest first.
    """
    sums: dict[tuple[str, str], int] = {}
    for day, reason, number in counts:
        sums[day, reason] = sums.get((day, reason), 0) + number
    totals: dict[str, int] = {}
    for (day, reason), number in sums.items():
        if day in days:
            totals[reason] = totals.get(reason, 0) + number
    order = sorted(totals, key=lambda reason: (-totals[reason], reason))
    named, rest = order[: len(_TONES)], order[len(_TONES) :]
    series = [
        Series(reason, tone, tuple((_short(day), float(sums.get((day, reason), 0))) for day in days))
        for reason, tone in zip(named, _TONES, strict=False)
    ]
    if rest:
        others = ((_short(day), float(sum(sums.get((day, reason), 0) for reason in rest))) for day in days)
        series.append(Series("others", Tone.QUIET, tuple(others)))
    rows = [
        (_short(day), reason, f"{sums[day, reason]:,}")
        for day in reversed(days)
        for reason in order
        if sums.get((day, reason))
    ]
    whole = sum(totals.values())
    most = f", most often {order[0]} ({totals[order[0]]:,})" if order else ""
    return Chart(
        name="refusals",
        title=f"Messages refused, last {len(days)} days",
        shape=Shape.STACKS,
        x_title="day (UTC)",
        y_title="messages",
        series=tuple(series),
        table=table_of(("day (UTC)", "reason", "refused"), rows),
        alternative=f"In the last {len(days)} days {whole:,} messages were refused{most}.",
    )


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC)


def _short(day: str) -> str:
    """`22 Nov` of `2026-11-22`."""
    return f"{datetime.fromisoformat(day):%d %b}"
