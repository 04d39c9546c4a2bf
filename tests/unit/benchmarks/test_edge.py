import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks import edge
from benchmarks.setting import NotRunError, Outcome, Setting
from benchmarks.verdict import Figure, Goal, Verdict


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(model_dir=tmp_path, models_dir=tmp_path, work_dir=tmp_path, quick=True, peer="none")


def _row(name: str, error: Exception | None = None) -> edge.Row:
    def run(setting: Setting) -> Outcome:
        if error is not None:
            raise error
        return Outcome(figures=[Figure(name, 0.5, "ms", Goal(1.0))], details={"quick": setting.quick})

    return edge.Row(name, f"meaning of {name}", run)


def test_a_row_that_throws_is_failed_and_shown(setting: Setting) -> None:
    """Its error is in the table's line and its trace in the details; it is no reason to stop."""
    outcome = edge.measure(_row("bad", RuntimeError("it broke")), setting)
    assert [figure.verdict for figure in outcome.figures] == [Verdict.FAILED]
    assert "it broke" in outcome.figures[0].note
    assert "RuntimeError" in str(outcome.details["traceback"])


def test_a_row_that_cannot_run_here_says_why(setting: Setting) -> None:
    """It is neither passed nor failed."""
    outcome = edge.measure(_row("optional", NotRunError("not installed")), setting)
    assert [figure.verdict for figure in outcome.figures] == [Verdict.NOT_RUN]
    assert outcome.figures[0].note == "not installed"


def test_main_writes_what_it_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All rows are measured although one breaks, the file is the JSON that is printed, the status is 1."""
    monkeypatch.setattr(edge, "ROWS", (_row("bad", RuntimeError("it broke")), _row("good")))
    output = tmp_path / "deep" / "result.json"
    arguments = ["--quick", "--peer", "none", "--model", str(tmp_path), "--json", "--output", str(output)]
    assert edge.main(arguments) == 1
    result = json.loads(output.read_text(encoding="utf-8"))
    assert json.loads(capsys.readouterr().out) == result
    assert [figure["verdict"] for figure in result["figures"]] == ["failed", "pass"]
    assert result["exit_status"] == 1
    assert result["machine"]["cores"] >= 1


def test_only_measures_what_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken row that nobody asked for changes nothing."""
    monkeypatch.setattr(edge, "ROWS", (_row("bad", RuntimeError("it broke")), _row("good")))
    output = tmp_path / "result.json"
    assert edge.main(["--only", "good", "--peer", "none", "--output", str(output)]) == 0
    assert len(json.loads(output.read_text(encoding="utf-8"))["figures"]) == 1


def test_figures_are_rounded_and_keep_their_goal(setting: Setting) -> None:
    """The file holds the goal as it is read by people, and the measured value to six digits."""
    outcomes = {"row": Outcome(figures=[Figure("  f", 1 / 3, "x", Goal(0.6), "note")])}
    result = edge.summary(outcomes, setting, {}, datetime(2026, 11, 22, tzinfo=UTC))
    assert result["figures"] == [
        {
            "row": "row",
            "figure": "f",
            "goal": "≤ 0.6",
            "measured": 0.333333,
            "unit": "x",
            "verdict": "pass",
            "note": "note",
        }
    ]
