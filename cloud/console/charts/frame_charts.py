"""The charts of frames that arrive. Pure."""

from collections.abc import Mapping
from typing import Final

from cloud.console.charts.values import Chart, Series, Shape, Tone, table_of

HOUR_MS: Final = 3_600_000


def arrivals_chart(stored: Mapping[int, int], refused: Mapping[int, int], first_ms: int, hours: int) -> Chart:
    """Frames stored and messages refused, hour by hour.

    Args:
        stored: How many frames, by the hour's first millisecond.
        refused: How many messages, likewise.
        first_ms: The first hour's first millisecond.
        hours: How many hours.
    """
    starts = [first_ms + index * HOUR_MS for index in range(hours)]
    rows = [
        (_hour(start), f"{stored.get(start, 0):,}", f"{refused.get(start, 0):,}")
        for start in reversed(starts)
        if stored.get(start) or refused.get(start)
    ]
    sums = sum(stored.get(start, 0) for start in starts), sum(refused.get(start, 0) for start in starts)
    drawn = any(sums)
    return Chart(
        name="arrivals",
        title=f"Last {hours} hours",
        shape=Shape.STACKS,
        x_title="hour (UTC)",
        y_title="messages",
        series=(
            Series("frames stored", Tone.CALM, tuple((s, stored.get(s, 0)) for s in starts) if drawn else ()),
            Series("refused", Tone.BAD, tuple((s, refused.get(s, 0)) for s in starts) if drawn else ()),
        ),
        table=table_of(("hour (UTC)", "frames stored", "refused"), rows),
        alternative=f"In the last {hours} hours {sums[0]:,} frames were stored"
        f" and {sums[1]:,} messages refused.",
        time=True,
    )


def _hour(at_ms: int) -> str:
    """`07:00` of whichever day; the table is newest first and at most two days long."""
    minutes = at_ms // 60_000 % 1440
    return f"{minutes // 60:02d}:00"
