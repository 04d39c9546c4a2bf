"""How good the models are: what `topscoop model evaluate` wrote into their reports.

Nothing is evaluated here: `topscoop model evaluate --check` does that again from the models and takes
minutes. What is checked is that a report belongs to the network beside it.
"""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from benchmarks.setting import Outcome, Setting
from benchmarks.verdict import Figure, Goal

_MODEL, _PRECISE, _BLIND, _BEST = "student_int8", "student_fp32", "context_only_optimum", "bayes"
"""Names of recommenders in a report."""
_GAP_GOAL = 0.75
_LOSS_GOAL_POINTS = 1.0
_UNCHANGED_GOAL = 0.95


class ReportError(Exception):
    """A report is missing, or is about another network."""


def quality(setting: Setting) -> Outcome:
    """Read the report of every model.

    Raises:
        ReportError: No models, a model without report, or a report of another network.
    """
    folders = sorted(path.parent for path in setting.models_dir.glob("*/manifest.json"))
    if not folders:
        raise ReportError(f"there is no model directory in {setting.models_dir}")
    outcome = Outcome()
    for folder in folders:
        report = read_report(folder)
        outcome.figures += list(figures(report))
        outcome.details[str(report["tenant"])] = {
            name: report[name] for name in ("model", "dataset", "evaluation", "recommenders", "unchanged")
        }
    return outcome


def read_report(folder: Path) -> dict[str, Any]:
    """The report of a model directory.

    Raises:
        ReportError: There is none, or it was written for another network.
    """
    path = folder / "report.json"
    if not path.is_file():
        raise ReportError(f"there is no {path}: `topscoop model evaluate` writes it")
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    digest = sha256((folder / manifest["model"]["file"]).read_bytes()).hexdigest()
    if report["model"]["sha256"] != digest:
        raise ReportError(f"{path} was written for another network: run `topscoop model evaluate` again")
    return report


def figures(report: Mapping[str, Any]) -> Iterator[Figure]:
    """The three figures of one chain, computed from the report's hit rates."""
    tenant = report["tenant"]
    hit = {name: row["hit_at_3"] for name, row in report["recommenders"].items()}
    rates = ", ".join(f"{name} {hit[name]:.3f}" for name in (_BLIND, _PRECISE, _MODEL, _BEST))
    share = (hit[_MODEL] - hit[_BLIND]) / (hit[_BEST] - hit[_BLIND])
    yield Figure(
        f"{tenant}: share of the gap to Bayes", share, "", Goal(_GAP_GOAL, at_least=True), f"hit@3: {rates}"
    )
    loss_points = 100 * (hit[_PRECISE] - hit[_MODEL])
    yield Figure(f"{tenant}: hit@3 lost by int8", loss_points, "points", Goal(_LOSS_GOAL_POINTS, strict=True))
    unchanged = report["unchanged"]
    worst = min((name for name in unchanged if name != "all"), key=unchanged.__getitem__)
    yield Figure(
        f"{tenant}: top-3 unchanged by a nuisance attribute",
        100 * unchanged["all"],
        "%",
        Goal(100 * _UNCHANGED_GOAL, at_least=True),
        f"least for {worst}, {100 * unchanged[worst]:.1f} %",
    )
