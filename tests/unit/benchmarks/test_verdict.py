import math

import pytest

from benchmarks.verdict import BaselineCheck, Exit, Figure, Goal, Verdict, exit_status

_GOOD = Figure("good", 1.0, "ms", Goal(1.0))
_MISSED = Figure("missed", 1.01, "ms", Goal(1.0))
_SLOW = BaselineCheck("slow", reference_ms=1.0, measured_ms=1.26, comparable=True)


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (_GOOD, Verdict.PASS),
        (_MISSED, Verdict.MISSED),
        (Figure("share", 0.75, "", Goal(0.75, at_least=True)), Verdict.PASS),
        (Figure("share", 0.74, "", Goal(0.75, at_least=True)), Verdict.MISSED),
        (Figure("loss", 1.0, "", Goal(1.0, strict=True)), Verdict.MISSED),
        (Figure("loss", 0.99, "", Goal(1.0, strict=True)), Verdict.PASS),
        (Figure("no goal", 3.0), Verdict.SHOWN),
        (Figure("no value", None, "", Goal(1.0), "why"), Verdict.NOT_RUN),
        (Figure("broke", None, "", Goal(1.0), "error", broke=True), Verdict.FAILED),
        (Figure("broke late", 0.5, "", Goal(1.0), "error", broke=True), Verdict.FAILED),
    ],
)
def test_verdicts(figure: Figure, verdict: Verdict) -> None:
    """Goals are inclusive unless they are strict; without a value nothing passes."""
    assert figure.verdict == verdict


@pytest.mark.parametrize("at_least", [True, False])
def test_not_a_number_misses_every_goal(at_least: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    """A division by zero somewhere never looks like a pass."""
    assert Figure("nan", math.nan, "", Goal(1.0, at_least=at_least)).verdict == Verdict.MISSED


@pytest.mark.parametrize(
    ("measured_ms", "comparable", "slow"),
    [(1.25, True, False), (1.26, True, True), (1.26, False, False), (math.nan, True, True)],
)
def test_a_baseline_may_be_a_quarter_slower(measured_ms: float, comparable: bool, slow: bool) -> None:  # noqa: FBT001 - pytest gives it by name
    """Up to a quarter is drift, more is a bad baseline; on another processor nothing follows."""
    assert BaselineCheck("b", 1.0, measured_ms, comparable).slow is slow


def test_exit_status() -> None:
    """0 all met, 1 missed or broken, 2 a flattering baseline; a missed goal is told before a baseline."""
    broke = Figure("broke", None, broke=True)
    not_run = Figure("optional", None, "", Goal(1.0), "not installed")
    assert exit_status([_GOOD, not_run], []) == Exit.GOOD
    assert exit_status([_GOOD, broke], []) == Exit.MISSED
    assert exit_status([_GOOD], [_SLOW]) == Exit.SLOW_BASELINE
    assert exit_status([_MISSED], [_SLOW]) == Exit.MISSED
