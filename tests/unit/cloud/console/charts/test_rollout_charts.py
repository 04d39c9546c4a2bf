"""A rollout's charts say what its registers report."""

from cloud.console.charts import rollout_charts as charts
from cloud.console.charts.rollout_charts import MemberMoves
from cloud.console.charts.values import Chart
from cloud.rollout.values import MemberState, StageFigures

PILOT = StageFigures("pilot", 3, 3.2, 9.0, 1000, 5, (0, 0, 10, 30), (40, 0, 0))
ALL = StageFigures("all")


def points(chart: Chart, series: str) -> list[tuple[int | str, float]]:
    """Of one series."""
    return [point for one in chart.series if one.name == series for point in one.points]


def test_latency_shows_the_slowest_register_too() -> None:
    """An average would hide the till that is too slow; a stage without reports is in the table only."""
    chart = charts.latency_chart([PILOT, ALL], 10.0)
    assert points(chart, "typical register") == [("pilot", 3.2)]
    assert points(chart, "slowest register") == [("pilot", 9.0)]
    assert chart.limit == (10.0, "budget 10 ms")
    assert chart.table.rows == (("pilot", "3.2", "9.0", "3"), ("all", "-", "-", "0"))
    assert "pilot: 3.2 ms typical, 9.0 ms slowest" in chart.alternative


def test_no_report_is_no_figure() -> None:
    """Nothing is drawn as zero that was never measured."""
    for chart in (
        charts.latency_chart([ALL], 10.0),
        charts.errors_chart([ALL], 0.01),
        charts.confidence_chart(ALL, ()),
        charts.labels_chart(ALL, (), ("vanilla",)),
    ):
        assert chart.empty
        assert "yet" in chart.alternative


def test_errors_are_shares() -> None:
    """Five of a thousand."""
    chart = charts.errors_chart([PILOT, ALL], 0.01)
    assert points(chart, "failed") == [("pilot", 0.005)]
    assert chart.table.rows[0] == ("pilot", "0.5 %", "5", "1,000")


def test_confidence_compares_shares_with_before() -> None:
    """Ten steps on both sides, whatever the counts were."""
    chart = charts.confidence_chart(PILOT, (1,) * 10)
    assert points(chart, "before")[0] == ("0-10 %", 0.1)
    assert points(chart, "this stage")[3] == ("30-40 %", 0.75)
    assert "moved most at 30-40 %: from 10.0 % to 75.0 %" in chart.alternative


def test_rare_flavours_come_together_and_names_stay_apart() -> None:
    """Twelve and the others; two flavours of one name stay two."""
    stage = StageFigures("pilot", labels=tuple(range(1, 21)))
    names = ["lemon", "lemon", *(f"f{index}" for index in range(2, 19))]
    chart = charts.labels_chart(stage, tuple(range(20, 0, -1)), names)
    labels = [str(x) for x, _ in points(chart, "this stage")]
    assert len(labels) == len(set(labels)) == 13
    assert labels[-1] == "others"
    assert {"lemon", "lemon (2)"} <= set(labels)
    assert "flavour 19" in labels, "one more than the catalogue names is shown too"
    assert abs(sum(y for _, y in points(chart, "this stage")) - 1) < 1e-9


def test_states_add_up_at_every_instant() -> None:
    """Each register is in one state at a time, from the start to now."""
    members = [
        MemberMoves(MemberState.GOOD, 10, 40),
        MemberMoves(MemberState.FAILED, 10, 30),
        MemberMoves(MemberState.TOLD, 20, 20),
        MemberMoves(MemberState.WAITING, None, 0),
        MemberMoves(MemberState.RETURNED, 12, 50),
    ]
    chart = charts.states_chart(members, 5, 60)
    assert chart.time
    instants = [x for x, _ in chart.series[0].points]
    assert instants == sorted(set(instants))
    assert (instants[0], instants[-1]) == (5, 60)
    for index, _ in enumerate(instants):
        assert sum(series.points[index][1] for series in chart.series) == len(members)
    assert chart.table.rows == tuple((n, "1") for n in ("good", "told", "not told", "failed", "returned"))


def test_a_register_that_left_is_counted_no_more() -> None:
    """Skipped: neither untold nor anything else."""
    chart = charts.states_chart([MemberMoves(MemberState.SKIPPED, None, 30)], 0, 60)
    assert [(series.name, series.points[-1][1]) for series in chart.series] == [("not told", 0)]


def test_ten_thousand_registers_make_no_endless_chart() -> None:
    """More instants than pixels are thinned; first and last stay."""
    members = [MemberMoves(MemberState.GOOD, at, at + 7) for at in range(0, 100_000, 10)]
    chart = charts.states_chart(members, 0, 200_000)
    assert len(chart.series[0].points) <= 300
    assert chart.series[0].points[-1] == (200_000, 10_000)
