"""Drawing: real pictures from Vega-Lite."""

from xml.etree import ElementTree as ET

import pytest

from cloud.console.charts.plots import draw
from cloud.console.charts.values import Chart, Order, Series, Shape, Tone, size_of, table_of

HOSTILE = "</text><script>alert(1)</script>\"'&{{7*7}}"


def a_chart(shape: Shape, *, time: bool, name: str = "a") -> Chart:
    """Two series in three places, and a limit."""
    hours: tuple[int | str, ...] = (1_700_000_000_000, 1_700_003_600_000, 1_700_007_200_000)
    places = hours if time else (name, "b", "c")
    points = tuple((place, float(index)) for index, place in enumerate(places))
    return Chart(
        name="test",
        title="Test",
        shape=shape,
        x_title="where",
        y_title="how much",
        series=(Series(name, Tone.GOOD, points), Series("other", Tone.BAD, points)),
        table=table_of((), ()),
        alternative="",
        time=time,
        limit=(1.5, name),
    )


@pytest.mark.parametrize(
    ("shape", "time"),
    [(shape, time) for shape in Shape for time in (False, True) if not (shape is Shape.BARS and time)],
)
def test_each_shape_has_the_size_that_was_ordered(*, shape: Shape, time: bool) -> None:
    """The page keeps the place free: no layout shift."""
    chart = a_chart(shape, time=time)
    size = size_of(chart, "narrow")
    picture = ET.fromstring(draw(Order(chart, size)))
    assert (picture.get("width"), picture.get("height")) == (str(size.width), str(size.height))
    assert len(list(picture.iter("{http://www.w3.org/2000/svg}path"))) > 3


def test_a_hostile_name_is_text() -> None:
    """T24: a flavour's or stage's name adds no element to a picture."""
    chart = a_chart(Shape.COLUMNS, time=False, name=HOSTILE)
    svg = draw(Order(chart, size_of(chart, "wide")))
    picture = ET.fromstring(svg)
    names = {element.tag.rsplit("}")[-1] for element in picture.iter()}
    assert names <= {"svg", "rect", "g", "path", "text", "line", "defs", "clipPath", "title", "desc"}
    assert any("<script>" in (element.text or "") for element in picture.iter())
