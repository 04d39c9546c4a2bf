"""A chart as a value: what is drawn, the same as a table, and the same as one sentence. Pure."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

POINTS_MAX: Final = 4000
"""A chart with more is refused: nobody could read it, and drawing it would take long."""


class Shape(StrEnum):
    """How points are drawn."""

    LINES = "lines"  # one line a series
    AREAS = "areas"  # stacked, one area a series
    COLUMNS = "columns"  # upright, series beside each other
    STACKS = "stacks"  # upright, series on each other
    BARS = "bars"  # lying, one a category


class Tone(StrEnum):
    """What a colour means; each theme has its own."""

    CALM = "calm"
    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    QUIET = "quiet"
    OTHER = "other"
    ASIDE = "aside"


@dataclass(frozen=True, slots=True)
class Series:
    """A line, an area or the columns of one colour.

    Attributes:
        points: (x, y); x is milliseconds UTC where the chart's x is time, else a category.
    """

    name: str
    tone: Tone
    points: tuple[tuple[int | str, float], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The same figures in words; each row as long as the head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart, complete.

    Attributes:
        name: Stable; the chart's address ends with it.
        alternative: One sentence for who cannot see it.
        limit: A line that should not be crossed, and what it is called.
    """

    name: str
    title: str
    shape: Shape
    x_title: str
    y_title: str
    series: tuple[Series, ...]
    table: Table
    alternative: str
    time: bool = False
    limit: tuple[float, str] | None = None
    percent: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(series.points for series in self.series)


@dataclass(frozen=True, slots=True)
class Size:
    """Pixels of CSS."""

    width: int
    height: int


WIDTHS: Final = {"wide": 640, "narrow": 340}
"""For a desk and for a phone: text in a picture does not shrink with it."""
_HEIGHT: Final = 240
_BAR_HEIGHT: Final = 26
_AROUND_BARS: Final = 66


def size_of(chart: Chart, width: str) -> Size:
    """How large a chart is drawn; `width` is one of WIDTHS.

    Raises:
        KeyError: No such width.
    """
    if chart.shape is not Shape.BARS:
        return Size(WIDTHS[width], _HEIGHT)
    bars = len({x for series in chart.series for x, _ in series.points})
    return Size(WIDTHS[width], _AROUND_BARS + _BAR_HEIGHT * max(1, bars))


@dataclass(frozen=True, slots=True)
class Order:
    """What the worker is asked to draw."""

    chart: Chart
    size: Size

    def to_bytes(self) -> bytes:
        """As it travels to the worker; equal orders give equal bytes.

        Raises:
            ValueError: More points than anybody could read.
        """
        if sum(len(series.points) for series in self.chart.series) > POINTS_MAX:
            raise ValueError(f"a chart has at most {POINTS_MAX} points")
        value = asdict(self)
        chart = value["chart"]
        del chart["table"], chart["alternative"]  # not drawn
        for series in chart["series"]:
            series["points"] = [(x, float(y)) for x, y in series["points"]]
        if chart["limit"] is not None:
            chart["limit"] = (float(chart["limit"][0]), chart["limit"][1])
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()

    def digest(self) -> str:
        """Names the picture: the same digest, the same pixels; 32 hex digits."""
        return hashlib.sha256(STYLE_VERSION + self.to_bytes()).hexdigest()[:32]


STYLE_VERSION: Final = b"1\n"
"""Grows when the same order is drawn another way, so that browsers ask again."""


def order_from_bytes(data: bytes) -> Order:
    """Read what `to_bytes` wrote; the table and the sentence stay behind."""
    value = json.loads(data)
    chart, size = value["chart"], value["size"]
    return Order(
        Chart(
            name=chart["name"],
            title=chart["title"],
            shape=Shape(chart["shape"]),
            x_title=chart["x_title"],
            y_title=chart["y_title"],
            series=tuple(
                Series(
                    one["name"],
                    Tone(one["tone"]),
                    tuple((point[0], float(point[1])) for point in one["points"]),
                )
                for one in chart["series"]
            ),
            table=Table((), ()),
            alternative="",
            time=chart["time"],
            limit=None if chart["limit"] is None else (float(chart["limit"][0]), str(chart["limit"][1])),
            percent=chart["percent"],
        ),
        Size(size["width"], size["height"]),
    )


def table_of(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table whose rows are as long as its head.

    Raises:
        ValueError: A row is not.
    """
    if any(len(row) != len(head) for row in rows):
        raise ValueError("a row of a table is as long as its head")
    return Table(tuple(head), tuple(tuple(row) for row in rows))
