"""The chart of frames that arrive."""

from cloud.console.charts.frame_charts import HOUR_MS, arrivals_chart


def test_an_hour_without_frames_is_a_gap_in_the_columns_and_no_row() -> None:
    """The chart has every hour, the table those with something in them, newest first."""
    first = 472_222 * HOUR_MS
    chart = arrivals_chart({first: 1200, first + 2 * HOUR_MS: 3}, {first: 7}, first, 3)
    assert [y for _, y in chart.series[0].points] == [1200, 0, 3]
    assert chart.table.rows == (("00:00", "3", "0"), ("22:00", "1,200", "7"))
    assert chart.alternative == "In the last 3 hours 1,203 frames were stored and 7 messages refused."


def test_nothing_at_all_is_an_empty_chart() -> None:
    """The page then says so in words."""
    assert arrivals_chart({}, {}, 0, 24).empty
