import json
from pathlib import Path

import pytest

from benchmarks import collector
from benchmarks.setting import Outcome, Setting
from benchmarks.suite import Row
from benchmarks.verdict import Figure, Goal


def _row(name: str, value: float | None) -> Row:
    def run(_: Setting) -> Outcome:
        if value is None:
            raise RuntimeError("it broke")
        return Outcome(figures=[Figure(name, value, "x", Goal(1.5))], details={"series": [value]})

    return Row(name, f"meaning of {name}", run)


def test_main_writes_what_it_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All rows are measured although one breaks, the file is the JSON that is printed, the status is 1."""
    monkeypatch.setattr(collector, "ROWS", (_row("bad", None), _row("good", 1.2)))
    output = tmp_path / "deep" / "result.json"
    assert collector.main(["--quick", "--json", "--output", str(output)]) == 1
    result = json.loads(output.read_text(encoding="utf-8"))
    assert json.loads(capsys.readouterr().out) == result
    assert [figure["verdict"] for figure in result["figures"]] == ["failed", "pass"]
    assert result["details"]["good"]["series"] == [1.2]
    assert (result["benchmark"], result["quick"]) == ("collector", True)
    assert result["machine"]["packages"]["paho-mqtt"]


def test_a_missed_goal_is_told_as_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table says so and the status is 1; nothing is rounded into passing."""
    monkeypatch.setattr(collector, "ROWS", (_row("near", 1.5001),))
    assert collector.main(["--output", str(tmp_path / "result.json")]) == 1
    assert "missed" in capsys.readouterr().out


def test_the_rows_are_those_of_the_issue() -> None:
    """A row that vanished would be a goal that nobody holds."""
    assert [row.name for row in collector.ROWS] == [
        "cpu",
        "scaling",
        "seal",
        "backlog",
        "puback",
        "receipt",
        "offline-week",
    ]
