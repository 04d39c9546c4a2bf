"""The charts of frames that arrive."""

from cloud.console.charts.frame_charts import HOUR_MS, arrivals_chart, refusals_chart

DAYS = ["2026-11-20", "2026-11-21", "2026-11-22"]


def test_an_hour_without_frames_is_a_gap_in_the_columns_and_no_row() -> None:
    """The chart has every hour, the table those with something in them, newest first."""
    first = 472_222 * HOUR_MS
    chart = arrivals_chart({first: 1200, first + 2 * HOUR_MS: 3}, first, 3)
    assert [y for _, y in chart.series[0].points] == [1200, 0, 3]
    assert [row[1] for row in chart.table.rows] == ["3", "1,200"]
    assert chart.alternative == "In the last 3 hours 1,203 frames were stored."


def test_nothing_at_all_is_an_empty_chart() -> None:
    """The page then says so in words."""
    assert arrivals_chart({}, 0, 24).empty
    assert refusals_chart([], DAYS).empty


def test_refusals_are_summed_over_registers() -> None:
    """One column a day, one colour a reason, the most frequent first."""
    counts = [("2026-11-21", "too-old", 2), ("2026-11-21", "too-old", 3), ("2026-11-22", "revoked", 9)]
    chart = refusals_chart(counts, DAYS)
    assert [series.name for series in chart.series] == ["revoked", "too-old"]
    assert [y for _, y in chart.series[1].points] == [0, 5, 0]
    assert chart.table.rows == (("22 Nov", "revoked", "9"), ("21 Nov", "too-old", "5"))
    assert chart.alternative == "In the last 3 days 14 messages were refused, most often revoked (9)."


def test_rare_reasons_share_a_colour_and_keep_their_rows() -> None:
    """Seven reasons: five by name, two together."""
    chart = refusals_chart([(DAYS[0], f"r{index}", 10 - index) for index in range(7)], DAYS)
    assert [series.name for series in chart.series] == ["r0", "r1", "r2", "r3", "r4", "others"]
    assert chart.series[-1].points[0][1] == 9
    assert len(chart.table.rows) == 7
