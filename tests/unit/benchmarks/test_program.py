import json
from pathlib import Path

import pytest

from benchmarks.program import Program
from benchmarks.setting import NotRunError, Outcome, Setting
from benchmarks.suite import Row, figures_as_json, measure
from benchmarks.verdict import Figure, Goal, Verdict


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(model_dir=tmp_path, models_dir=tmp_path, work_dir=tmp_path, quick=True, peer="none")


def _row(name: str, error: Exception | None = None) -> Row:
    def run(setting: Setting) -> Outcome:
        if error is not None:
            raise error
        return Outcome(figures=[Figure(name, 0.5, "ms", Goal(1.0))], details={"quick": setting.quick})

    return Row(name, f"meaning of {name}", run)


def test_a_row_that_throws_is_failed_and_shown(setting: Setting) -> None:
    """Its error is in the table's line and its trace in the details; it is no reason to stop."""
    outcome = measure(_row("bad", RuntimeError("it broke")), setting)
    assert [figure.verdict for figure in outcome.figures] == [Verdict.FAILED]
    assert "it broke" in outcome.figures[0].note
    assert "RuntimeError" in str(outcome.details["traceback"])


def test_a_row_that_cannot_run_here_says_why(setting: Setting) -> None:
    """It is neither passed nor failed."""
    outcome = measure(_row("optional", NotRunError("not installed")), setting)
    assert [figure.verdict for figure in outcome.figures] == [Verdict.NOT_RUN]
    assert outcome.figures[0].note == "not installed"


def test_main_writes_what_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All rows are measured although one breaks, the file is the JSON that is printed, the status is 1."""
    program = Program("edge", (_row("bad", RuntimeError("it broke")), _row("good")))
    output = tmp_path / "deep" / "result.json"
    arguments = ["--quick", "--model", str(tmp_path), "--json", "--output", str(output)]
    assert program.main(arguments) == 1
    result = json.loads(output.read_text(encoding="utf-8"))
    assert json.loads(capsys.readouterr().out) == result
    assert [figure["verdict"] for figure in result["figures"]] == ["failed", "pass"]
    assert result["exit_status"] == 1
    assert result["machine"]["cores"] >= 1


def test_a_missed_goal_is_told_as_missed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table says so and the status is 1; nothing is rounded into passing."""
    near = Row("near", "", lambda _: Outcome(figures=[Figure("near", 1.5001, "x", Goal(1.5))]))
    assert Program("edge", (near,)).main(["--output", str(tmp_path / "result.json")]) == 1
    assert "missed" in capsys.readouterr().out


def test_only_measures_what_is_asked_for(tmp_path: Path) -> None:
    """A broken row that nobody asked for changes nothing."""
    program = Program("edge", (_row("bad", RuntimeError("it broke")), _row("good")))
    output = tmp_path / "result.json"
    assert program.main(["--only", "good", "--output", str(output)]) == 0
    assert len(json.loads(output.read_text(encoding="utf-8"))["figures"]) == 1


def test_a_program_says_what_it_was_measured_with(tmp_path: Path) -> None:
    """Versions of packages and servers stand beside the machine; a server that is not there is left out."""
    output = tmp_path / "result.json"
    program = Program(
        "edge",
        (_row("good"),),
        packages=("pytest",),
        servers={"shell": ("sh", "-c", "echo one; echo two"), "missing": ("no-such-server",)},
        more=lambda args: {"quickly": args.quick},
    )
    assert program.main(["--quick", "--output", str(output)]) == 0
    result = json.loads(output.read_text(encoding="utf-8"))
    assert result["machine"]["packages"]["pytest"] == pytest.__version__
    assert result["machine"]["servers"] == {"shell": "one"}
    assert result["quickly"] is True


def test_a_part_of_the_rows_never_replaces_the_whole_result() -> None:
    """`--only` and `--quick` write beside it."""
    program = Program("public_api", ())
    assert (program.whole.name, program.partial.name) == ("public-api.json", "public-api-partial.json")


def test_figures_are_rounded_and_keep_their_goal() -> None:
    """The file holds the goal as it is read by people, and the measured value to six digits."""
    outcomes = {"row": Outcome(figures=[Figure("  f", 1 / 3, "x", Goal(0.6), "note")])}
    assert figures_as_json(outcomes) == [
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
