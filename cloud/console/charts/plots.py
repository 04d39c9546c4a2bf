"""Draws a chart: Vega-Lite by Altair, SVG by vl-convert. Only the worker imports it: both are heavy."""

from typing import Any, Final

import altair as alt
import vl_convert

from cloud.console.charts.themes import STAND_INS
from cloud.console.charts.values import Chart, Order, Shape

_FONT: Final = "system-ui, -apple-system, Segoe UI, Roboto, sans-serif"
_TICK_PIXELS: Final = 70
"""One label of time for so many pixels."""


def draw(order: Order) -> str:
    """The chart as SVG of exactly the size that was ordered, in stand-in colours."""
    chart, size = order.chart, order.size
    values = [
        {"x": x, "y": y, "s": series.name, "o": index}
        for index, series in enumerate(chart.series)
        for x, y in series.points
    ]
    layers = [_marks(chart, values, size.width)]
    if chart.limit is not None:
        layers.append(_limit(chart))
    whole = alt.layer(*layers).properties(
        width=size.width,
        height=size.height,
        padding={"left": 24, "right": 12, "top": 6, "bottom": 4},
        background="transparent",
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
    )
    return str(vl_convert.vegalite_to_svg(whole.configure(**_config()).to_dict()))


def _marks(chart: Chart, values: list[dict[str, Any]], width: int) -> Any:
    base = alt.Chart({"values": values})
    colour = alt.Color(
        "s:N",
        sort=None,
        scale=alt.Scale(
            domain=[series.name for series in chart.series],
            range=[STAND_INS[series.tone] for series in chart.series],
        ),
        legend=None if len(chart.series) < 2 else _legend(chart, width),
    )
    stacked = chart.shape in {Shape.AREAS, Shape.STACKS}
    axis = alt.Axis(format="~%" if chart.percent else alt.Undefined, tickCount=5)
    scale = alt.Scale(zero=True, nice=True)
    size = alt.Y("y:Q", title=chart.y_title, stack=stacked or None, axis=axis, scale=scale)
    if chart.shape is Shape.BARS:
        return base.mark_bar(cornerRadiusEnd=2).encode(
            y=alt.Y("x:N", sort=None, title=None, axis=alt.Axis(labelLimit=width // 5)),
            yOffset=alt.YOffset("s:N", sort=None),
            x=alt.X("y:Q", title=chart.y_title, stack=None, axis=axis, scale=scale),
            color=colour,
        )
    across = _across(chart, width)
    if chart.shape is Shape.LINES:
        return base.mark_line(point={"size": 18}, strokeWidth=2).encode(x=across, y=size, color=colour)
    if chart.shape is Shape.AREAS:
        drawn = base.mark_area(interpolate="step-after", fillOpacity=0.75)
        return drawn.encode(x=across, y=size, color=colour, order="o:Q")
    if chart.shape is Shape.STACKS:
        return base.mark_bar().encode(x=across, y=size, color=colour, order="o:Q")
    return base.mark_bar().encode(x=across, y=size, color=colour, xOffset=alt.XOffset("s:N", sort=None))


def _across(chart: Chart, width: int) -> Any:
    if not chart.time:
        axis = alt.Axis(labelAngle=0, labelOverlap=True)
        return alt.X("x:O", sort=None, title=chart.x_title, axis=axis)
    axis = alt.Axis(
        # Midnight is a date, every other mark an hour of 24.
        labelExpr="utcFormat(datum.value, utcseconds(datum.value) ? '%H:%M:%S'"
        " : utchours(datum.value) || utcminutes(datum.value) ? '%H:%M' : '%d %b')",
        tickCount=max(2, width // _TICK_PIXELS),
        labelOverlap=True,
        labelFlush=True,
    )
    if chart.shape in {Shape.STACKS, Shape.COLUMNS}:
        # One column an hour: a band, whose label is the hour.
        axis = alt.Axis(format="%H:%M", labelAngle=0, labelOverlap=True)
        return alt.X("utcyearmonthdatehours(x):O", title=chart.x_title, axis=axis)
    return alt.X("x:T", scale=alt.Scale(type="utc"), title=chart.x_title, axis=axis)


def _legend(chart: Chart, width: int) -> Any:
    columns = max(1, width // (9 * max(len(series.name) for series in chart.series) + 30))
    return alt.Legend(
        title=None, orient="top", direction="horizontal", columns=columns, labelLimit=width // 2
    )


def _limit(chart: Chart) -> Any:
    assert chart.limit is not None
    value, words = chart.limit
    base = alt.Chart({"values": [{"limit": value, "words": words}]})
    across = chart.shape is Shape.BARS
    place = {"x": "limit:Q"} if across else {"y": "limit:Q"}
    rule = base.mark_rule(strokeDash=[5, 4], strokeWidth=1.5, color=STAND_INS["ink"]).encode(**place)
    text = base.mark_text(align="right", dy=-6, fontSize=11, color=STAND_INS["ink"]).encode(
        text="words:N", **(place | ({"y": alt.value(0)} if across else {"x": alt.value("width")}))
    )
    return alt.layer(rule, text)


def _config() -> dict[str, Any]:
    soft, rule, ink = STAND_INS["soft"], STAND_INS["rule"], STAND_INS["ink"]
    return {
        "font": _FONT,
        "axis": {
            "labelColor": soft,
            "titleColor": soft,
            "gridColor": rule,
            "domainColor": rule,
            "tickColor": rule,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            # Browsers' fonts are wider than those that the picture is measured with.
            "labelSeparation": 14,
        },
        "axisX": {"grid": False},
        "legend": {"columnPadding": 30, "labelColor": ink, "labelFontSize": 12, "symbolType": "square"},
        "view": {"stroke": None},
    }
