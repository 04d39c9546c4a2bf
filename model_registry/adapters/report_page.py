"""A report as one page with its plots inside: nothing is fetched from anywhere."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

_NAMES = {
    "best_sellers": "Best-sellers",
    "context_only_learned": "Context only, learned",
    "context_only_optimum": "Context only, the optimum",
    "teacher": "Teacher",
    "student_fp32": "Student, fp32",
    "student_int8": "Student, int8 (the model)",
    "bayes": "Everything known (Bayes)",
}
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
body{color:#222;background:#fff}
h1,h2{line-height:1.2}table{border-collapse:collapse;margin:1rem 0}caption{text-align:left;font-weight:600}
th,td{padding:.3rem .8rem;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child{text-align:left}
figure{margin:1.5rem 0;overflow-x:auto}figcaption{color:#555}svg{max-width:100%;height:auto}
"""


def report_page(report: Mapping[str, Any]) -> str:
    """Return the page of a report as `evaluate` writes it."""
    title = html.escape(f"{report['tenant']} {report['model']['version']}")
    body = "\n".join(
        (
            f"<h1>{title}</h1>",
            _summary(report),
            "<h2>Recommenders</h2>",
            _figure(
                _hit_chart(report), "Expected hit@3 under the true taste, on orders nobody learned from."
            ),
            _recommender_table(report),
            "<h2>Calibration</h2>",
            _figure(_reliability_chart(report), "A promised probability against how often it came true."),
            _reliability_table(report),
            "<h2>Learning curve</h2>",
            _figure(_curve_chart(report), "Labelled orders against the share of the gap that was closed."),
            _curve_table(report),
            "<h2>What must not matter</h2>",
            _fairness_table(report),
            "<h2>Nobody, another style, latency and size</h2>",
            _other_table(report),
            f"<p>{html.escape(report['not_checked'])}</p>",
        )
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body>\n{body}\n</body></html>\n"
    )


def _summary(report: Mapping[str, Any]) -> str:
    share = report["share_of_gap"]["student_int8"]
    orders, learned = report["evaluation"]["orders"], report["dataset"]["interactions"]
    return (
        f"<p>The model closes <strong>{100 * share:.1f} %</strong> of the gap between the best recommender"
        " that sees only the context and one that knows everything. It learned from"
        f" {learned:,} simulated orders with one purchase each, and was measured on {orders:,} others,"
        " with other customers.</p>"
    )


def _table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
    lines = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    caption = html.escape(caption)
    return f"<table><caption>{caption}</caption><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"


def _figure(chart: Any, caption: str) -> str:
    import vl_convert

    # Browsers' fonts are wider than those the plot is measured with: room for what sticks out.
    room = {"left": 60, "right": 20, "top": 5, "bottom": 5}
    svg = vl_convert.vegalite_to_svg({**chart.to_dict(), "padding": room})
    told = html.escape(caption)
    return f'<figure role="img" aria-label="{told}">{svg}<figcaption>{told}</figcaption></figure>'


def _chart(rows: Sequence[Mapping[str, Any]]) -> Any:
    import altair as alt

    return alt.Chart({"values": list(rows)}).properties(width=560)


def _hit_chart(report: Mapping[str, Any]) -> Any:
    rows = [
        {"recommender": _NAMES[name], "hit": row["hit_at_3"]}
        for name, row in sorted(report["recommenders"].items(), key=lambda item: item[1]["hit_at_3"])
    ]
    chart = _chart(rows).mark_bar(color="#3a6fd8")
    return chart.encode(
        x={"field": "hit", "type": "quantitative", "title": "hit@3", "scale": {"domain": [0, 1]}},
        y={"field": "recommender", "type": "nominal", "sort": None, "title": None},
    )


def _recommender_table(report: Mapping[str, Any]) -> str:
    rows = [
        [
            _NAMES[name],
            f"{row['hit_at_3']:.4f}",
            f"{row['hit_at_3_realised']:.4f}",
            f"{row['hit_at_1']:.4f}",
            # Best-sellers are a ranking: they promise no probability.
            "-" if name == "best_sellers" else f"{row['log_loss']:.4f}",
            "-" if name == "best_sellers" else f"{row['calibration_error']:.4f}",
        ]
        for name, row in sorted(report["recommenders"].items(), key=lambda item: item[1]["hit_at_3"])
    ]
    head = ["", "hit@3", "hit@3 of the draw", "hit@1", "log-loss", "calibration error"]
    return _table("Recommenders", head, rows)


def _reliability_chart(report: Mapping[str, Any]) -> Any:
    curve = report["reliability"]
    rows = [
        {"promised": promised, "happened": happened}
        for promised, happened in zip(curve["promised"], curve["happened"], strict=True)
    ]
    highest = max(*curve["promised"], *curve["happened"])
    ideal = _chart([{"promised": 0, "happened": 0}, {"promised": highest, "happened": highest}])
    axes = {
        "x": {"field": "promised", "type": "quantitative"},
        "y": {"field": "happened", "type": "quantitative"},
    }
    return ideal.mark_line(strokeDash=[4, 4], color="#999").encode(**axes) + _chart(rows).mark_line(
        point=True, color="#c0392b"
    ).encode(**axes)


def _reliability_table(report: Mapping[str, Any]) -> str:
    curve = report["reliability"]
    rows = [
        [f"{promised:.4f}", f"{happened:.4f}", str(count)]
        for promised, happened, count in zip(
            curve["promised"], curve["happened"], curve["count"], strict=True
        )
    ]
    return _table("Probability of a shown flavour", ["promised", "happened", "shown"], rows)


def _curve_chart(report: Mapping[str, Any]) -> Any:
    """Plot the points that differ in orders alone as a line, and those with a teacher beside it."""
    rows = [
        {
            "orders": point["interactions"],
            "share": point["share_of_gap"],
            "taught": "with a teacher, longer" if point["teacher_steps"] else "purchases alone",
        }
        for point in report["learning_curve"]
    ]
    least = min(row["orders"] for row in rows)
    axes = {
        "x": {
            "field": "orders",
            "type": "quantitative",
            "title": "labelled orders",
            "scale": {"type": "log", "domainMin": least / 2},
        },
        "y": {"field": "share", "type": "quantitative", "title": "share of the gap"},
        "color": {"field": "taught", "type": "nominal", "title": None, "legend": {"orient": "top"}},
    }
    return _chart(rows).mark_line(point=True).encode(**axes)


def _curve_table(report: Mapping[str, Any]) -> str:
    rows = [
        [
            f"{point['interactions']:,}",
            f"{point['teacher_steps']:,}",
            f"{point['student_steps']:,}",
            f"{point['hit_at_3']:.4f}",
            f"{point['share_of_gap']:.3f}",
        ]
        for point in report["learning_curve"]
    ]
    head = ["labelled orders", "teacher steps", "student steps", "hit@3, fp32", "share of the gap"]
    return _table("Learning curve", head, rows)


def _fairness_table(report: Mapping[str, Any]) -> str:
    rows = [[name, f"{100 * share:.1f} %"] for name, share in report["unchanged"].items()]
    return _table("Top three unchanged when only this changes", ["attribute", "same three"], rows)


def _other_table(report: Mapping[str, Any]) -> str:
    nobody, style, latency = report["nobody"], report["style"], report["latency_us"]
    rows = [
        ["nobody: recall", f"{100 * nobody['recall']:.2f} %"],
        ["nobody: false alarms", f"{100 * nobody['false_alarms']:.2f} %"],
        ["another drawing style: hit@3", f"{style['hit_at_3']:.4f}"],
        ["another drawing style: context only", f"{style['context_only_hit_at_3']:.4f}"],
        ["another drawing style: Bayes", f"{style['bayes_hit_at_3']:.4f}"],
        ["int8 loses against fp32, points of hit@3", f"{report['int8_loss_points']:.2f}"],
        ["int8 p50 / p99, µs", f"{latency['student_int8']['p50']} / {latency['student_int8']['p99']}"],
        ["fp32 p50 / p99, µs", f"{latency['student_fp32']['p50']} / {latency['student_fp32']['p99']}"],
        ["int8 bytes", f"{report['model']['bytes']:,}"],
        ["fp32 bytes", f"{report['model']['fp32_bytes']:,}"],
    ]
    return _table("More figures", ["", ""], rows)
