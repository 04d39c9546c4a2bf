"""The charts of one register: how sure its model is, and which flavours come first. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from cloud.console.charts.values import Chart, Series, Shape, Tone, table_of


def register_charts(report: Mapping[str, Any], labels: Sequence[tuple[str, int]]) -> dict[str, Chart]:
    """By name; {} where no model has reported.

    Args:
        report: The register's newest.
        labels: Flavours and how often each came first, the most frequent first.
    """
    health = report.get("health")
    if not health:
        return {}
    found = (confidence_chart(health["confidence"]), labels_chart(labels))
    return {one.name: one for one in found}


def confidence_chart(counts: Sequence[int]) -> Chart:
    """How often the first flavour's probability lay in each tenth."""
    steps = [f"{index * 10}-{index * 10 + 10} %" for index in range(len(counts))]
    whole = sum(counts)
    most = f"lay most often in {steps[counts.index(max(counts))]}" if whole else "is not known yet"
    return Chart(
        name="confidence",
        title="How sure the model is of its first flavour",
        shape=Shape.COLUMNS,
        x_title="probability of the first flavour",
        y_title="recommendations",
        series=_series(list(zip(steps, counts, strict=True))),
        table=table_of(
            ("probability", "recommendations"), [(s, f"{n:,}") for s, n in zip(steps, counts, strict=True)]
        ),
        alternative=f"Of {whole:,} recommendations the probability of the first flavour {most}.",
    )


def labels_chart(labels: Sequence[tuple[str, int]]) -> Chart:
    """Which flavours came first."""
    shown = [one for one in labels if one[1]]
    first = f"; most often {shown[0][0]}, {shown[0][1]:,} times" if shown else ""
    return Chart(
        name="labels",
        title="Which flavour comes first",
        shape=Shape.BARS,
        x_title="flavour",
        y_title="recommendations",
        series=_series(shown[:16]),
        table=table_of(("flavour", "times first"), [(name, f"{given:,}") for name, given in labels]),
        alternative=f"{len(shown)} flavours came first at least once{first}.",
    )


def _series(points: Sequence[tuple[str, int]]) -> tuple[Series, ...]:
    drawn = tuple((name, float(given)) for name, given in points)
    return (Series("recommendations", Tone.CALM, drawn if any(given for _, given in points) else ()),)
