"""Charts as values."""

import pytest

from cloud.console.charts.values import (
    POINTS_MAX,
    Chart,
    Order,
    Series,
    Shape,
    Tone,
    order_from_bytes,
    size_of,
    table_of,
)


def chart(points: tuple[tuple[int | str, float], ...] = (("a", 1), ("b", 2.5)), **more: object) -> Chart:
    """A small one."""
    fields = {
        "name": "test",
        "title": "Test",
        "shape": Shape.COLUMNS,
        "x_title": "x",
        "y_title": "y",
        "series": (Series("one", Tone.CALM, points),),
        "table": table_of(("x", "y"), [("a", "1")]),
        "alternative": "One sentence.",
        "limit": (3, "three"),
    }
    return Chart(**(fields | more))  # type: ignore[arg-type]


def test_an_order_survives_its_way_to_the_worker() -> None:
    """What is drawn arrives; the table and the sentence stay where they are shown."""
    ordered = chart()
    order = Order(ordered, size_of(ordered, "wide"))
    read = order_from_bytes(order.to_bytes())
    assert (read.chart.series, read.chart.limit, read.size) == (ordered.series, ordered.limit, order.size)
    assert read.chart.table.rows == ()
    assert read.digest() == order.digest()


def test_the_digest_names_the_picture_alone() -> None:
    """Another table gives the same picture, another figure, width or title another one."""
    plain = chart()
    digest = Order(plain, size_of(plain, "wide")).digest()
    retold = chart(table=table_of(("x",), []), alternative="Other words.")
    assert Order(retold, size_of(plain, "wide")).digest() == digest
    others = [chart((("a", 1), ("b", 2))), chart(title="Other"), chart(limit=None)]
    assert len({digest, *(Order(one, size_of(one, "wide")).digest() for one in others)}) == 4
    assert Order(plain, size_of(plain, "narrow")).digest() != digest


def test_a_chart_of_bars_grows_with_them() -> None:
    """Each bar has room; other charts are of one height."""
    few = size_of(chart(shape=Shape.BARS), "wide")
    many = size_of(chart(tuple((f"c{i}", 1.0) for i in range(20)), shape=Shape.BARS), "wide")
    assert many.height - few.height == 18 * 26
    assert size_of(chart(), "narrow").height == size_of(chart(), "wide").height


def test_what_nobody_could_read_is_refused() -> None:
    """Too many points, or a figure that is none."""
    endless = chart(tuple((index, 1.0) for index in range(POINTS_MAX + 1)))
    with pytest.raises(ValueError, match="at most"):
        Order(endless, size_of(endless, "wide")).to_bytes()
    nothing = chart((("a", float("nan")),))
    with pytest.raises(ValueError, match="JSON"):
        Order(nothing, size_of(nothing, "wide")).to_bytes()
    with pytest.raises(ValueError, match="as long as its head"):
        table_of(("x", "y"), [("a",)])
