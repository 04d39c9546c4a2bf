"""The release gate: may this model be signed? Pure; evidence that is missing or no number refuses.

What a model must show stands in the constants; `docs/registry.md` explains each.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from inference.errors import ManifestError
from inference.manifest import Manifest
from wire_protocol.release_metadata import ReleaseReport

REPORT_FORMAT: Final = "topscoop.report/1"
REPORT_MAX_BYTES: Final = 1 << 20
ORDERS_MIN: Final = 1000
"""Below, three standard errors are more than six points of hit@3, and nothing can be said."""
SIGNIFICANCE_Z: Final = 3.0
"""Standard errors above a baseline: 1 in 700 by luck. The two are compared as if measured on different
orders, which overstates the error and so errs on the side of refusing."""
INT8_LOSS_MAX_POINTS: Final = 1.0
CALIBRATION_ERROR_MAX: Final = 0.03
UNCHANGED_MIN: Final = 0.90
"""Share of pairs that show one customer with another value of an attribute and get the same three."""
UNCHANGED_ALL_MIN: Final = 0.95
NUISANCES: Final = ("skin", "presentation", "age", "mood", "head_cover")
"""What must not matter; a report that says nothing about one of them is no evidence."""
SIZE_MAX_BYTES: Final = 2 << 20
"""A register on a slow line fetches it within a minute or so; the default models have 1.2 MB."""

_MODEL: Final = "student_int8"
_PRECISE: Final = "student_fp32"
_BASELINES: Final = {
    "best_sellers": "the best-sellers",
    "context_only_learned": "the learned model that sees no picture",
    "context_only_optimum": "the best that anybody could do without a picture",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says: `report` is the summary that is signed, None where anything is wrong."""

    reasons: tuple[str, ...]
    report: ReleaseReport | None

    @property
    def passed(self) -> bool:
        """Whether the model may be signed."""
        return self.report is not None


def judge(manifest_json: bytes, network: bytes, report_json: bytes | None) -> Verdict:
    """Judge a model by its directory's files; every reason that speaks against it, in plain words."""
    try:
        manifest = Manifest.from_json(manifest_json)
    except ManifestError as error:
        return Verdict((str(error),), None)
    try:
        report = _Evidence(_parse(report_json))
        reasons = [
            *_identity(manifest, network, report),
            *_quality(report),
            *_budgets(manifest, network, report),
        ]
        return Verdict(tuple(reasons), None if reasons else _summary(report))
    except _NoEvidence as error:
        return Verdict((str(error),), None)


class _NoEvidence(Exception):
    """A figure is missing or no number."""


class _Evidence:
    """A report whose figures are taken by path, each a finite number or an error."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def take(self, path: str) -> Any:
        value = self._value
        for key in path.split("."):
            if not isinstance(value, dict) or key not in value:
                _refuse(f"the report does not say {path}")
            value = value[key]
        return value

    def number(self, path: str, low: float = -math.inf, high: float = math.inf) -> float:
        value = self.take(path)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            _refuse(f"the report's {path} is no number")
        if not low <= value <= high:
            _refuse(f"the report's {path} is {value:g}, which cannot be")
        return float(value)

    def share(self, path: str) -> float:
        return self.number(path, 0, 1)


def _refuse(reason: str) -> NoReturn:
    raise _NoEvidence(reason)


def _parse(data: bytes | None) -> Any:
    if data is None:
        _refuse("there is no report.json: evaluate the model first (`topscoop model evaluate`)")
    if len(data) > REPORT_MAX_BYTES:
        _refuse("report.json is longer than any report")
    try:
        return json.loads(data.decode(), parse_constant=lambda word: _refuse(f"the report holds {word}"))
    except (ValueError, RecursionError) as error:
        _refuse(f"report.json cannot be read: {error}")


def _identity(manifest: Manifest, network: bytes, report: _Evidence) -> Iterable[str]:
    """Whether the report is about this very model."""
    digest = hashlib.sha256(network).hexdigest()
    if report.take("format") != REPORT_FORMAT:
        _refuse(f"the report is not of the format {REPORT_FORMAT}")
    if report.take("tenant") != manifest.tenant:
        yield f"the report is about a model of {report.take('tenant')!r:.40}, not of {manifest.tenant!r}"
    if manifest.model.sha256 != digest or manifest.model.bytes != len(network):
        yield f"the manifest is for another network, {manifest.model.sha256[:16]}…; this is {digest[:16]}…"
    if report.take("model.sha256") != digest:
        yield "the report was written for another network: evaluate this one"
    if report.take("dataset.digest") != manifest.dataset.digest:
        yield "report and manifest name different data sets"


def _quality(report: _Evidence) -> Iterable[str]:
    orders = int(report.number("evaluation.orders", 0, 1e12))
    if orders < ORDERS_MIN:
        yield f"it was measured on {orders} orders; {ORDERS_MIN} are the least that say anything"
        return
    hit = report.share(f"recommenders.{_MODEL}.hit_at_3_realised")
    for key, name in _BASELINES.items():
        base = report.share(f"recommenders.{key}.hit_at_3_realised")
        error = math.sqrt((hit * (1 - hit) + base * (1 - base)) / orders)
        # Written so that whatever is not clearly better is refused.
        if not hit - base > SIGNIFICANCE_Z * error:
            yield (
                f"hit@3 {hit:.1%} is not clearly above {base:.1%} of {name}: "
                f"on {orders} orders it must be {100 * SIGNIFICANCE_Z * error:.1f} points above"
            )
    loss = 100 * (
        report.share(f"recommenders.{_PRECISE}.hit_at_3") - report.share(f"recommenders.{_MODEL}.hit_at_3")
    )
    said = report.number("int8_loss_points", -100, 100)
    if not max(loss, said) < INT8_LOSS_MAX_POINTS:
        yield f"int8 loses {max(loss, said):.2f} points of hit@3, not less than {INT8_LOSS_MAX_POINTS:g}"
    calibration = report.share(f"recommenders.{_MODEL}.calibration_error")
    if calibration > CALIBRATION_ERROR_MAX:
        yield (
            f"its probabilities are off by {calibration:.3f} on average, more than {CALIBRATION_ERROR_MAX:g}:"
            " quantize again with more calibration orders"
        )
    yield from _fairness(report)


def _fairness(report: _Evidence) -> Iterable[str]:
    for name in NUISANCES:
        share = report.share(f"unchanged.{name}")
        if share < UNCHANGED_MIN:
            yield (
                f"{name.replace('_', ' ')} changes the three flavours of {1 - share:.1%} of customers; "
                f"{1 - UNCHANGED_MIN:.0%} is allowed: train with more pairs"
            )
    share = report.share("unchanged.all")
    if share < UNCHANGED_ALL_MIN:
        yield (
            f"what must not matter changes the three flavours of {1 - share:.1%} of customers on average;"
            f" {1 - UNCHANGED_ALL_MIN:.0%} is allowed"
        )


def _budgets(manifest: Manifest, network: bytes, report: _Evidence) -> Iterable[str]:
    if len(network) > SIZE_MAX_BYTES:
        yield f"it has {len(network) / 1e6:.1f} MB; {SIZE_MAX_BYTES / 1e6:.1f} are allowed"
    p99_ms = report.number(f"latency_us.{_MODEL}.p99", 0, 1e9) / 1000
    if p99_ms > manifest.latency_budget_ms.p99:
        yield f"p99 is {p99_ms:.2f} ms; its own budget is {manifest.latency_budget_ms.p99:g} ms"


def _summary(report: _Evidence) -> ReleaseReport:
    hit = {key: report.share(f"recommenders.{key}.hit_at_3") for key in (_MODEL, *_BASELINES)}
    return ReleaseReport(
        orders=int(report.number("evaluation.orders")),
        hit_at_3=hit[_MODEL],
        best_sellers=hit["best_sellers"],
        context_only=max(hit["context_only_learned"], hit["context_only_optimum"]),
        int8_loss_points=report.number("int8_loss_points"),
        calibration_error=report.share(f"recommenders.{_MODEL}.calibration_error"),
        p50_ms=report.number(f"latency_us.{_MODEL}.p50", 0, 1e9) / 1000,
        p99_ms=report.number(f"latency_us.{_MODEL}.p99") / 1000,
        unchanged={name: report.share(f"unchanged.{name}") for name in ("all", *NUISANCES)},
    )
