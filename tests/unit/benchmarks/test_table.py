from benchmarks.table import measured, render
from benchmarks.verdict import BaselineCheck, Figure, Goal


def test_values_keep_three_digits() -> None:
    """Enough to compare, not so many that noise looks like knowledge."""
    assert measured(Figure("a", 0.123456, "ms")) == "0.123 ms"
    assert measured(Figure("a", 123.456, "MB")) == "123 MB"
    assert measured(Figure("a", 0.0, "of 9000")) == "0 of 9000"
    assert measured(Figure("a", None, "ms")) == "-"


def test_the_table_tells_goal_verdict_and_why_not() -> None:
    """One line per figure; a row that could not run gives its reason."""
    figures = [
        Figure("fast", 0.5, "ms", Goal(0.6)),
        Figure("good", 0.7, "", Goal(0.75, at_least=True)),
        Figure("peer", None, "x", Goal(0.35), "not installed"),
        Figure("broken", None, note="ProgramError: it died\nwith many\nlines", broke=True),
    ]
    text = render(figures, [BaselineCheck("FastAPI p50", 1.45, 2.9, comparable=True)])
    lines = {line.split()[0]: line for line in text.splitlines() if line.strip("─ ")}
    assert "≤ 0.6" in lines["fast"]
    assert "pass" in lines["fast"]
    assert "≥ 0.75" in lines["good"]
    assert "missed" in lines["good"]
    assert "not run" in lines["peer"]
    assert "not installed" in lines["peer"]
    assert "it died" in lines["broken"]
    assert "with many" not in text
    assert "slow" in lines["FastAPI"]
