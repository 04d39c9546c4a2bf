import json
from pathlib import Path

import pytest

from benchmarks import releases
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
    monkeypatch.setattr(releases, "ROWS", (_row("bad", None), _row("good", 1.2)))
    output = tmp_path / "deep" / "result.json"
    assert releases.main(["--quick", "--json", "--output", str(output)]) == 1
    result = json.loads(output.read_text(encoding="utf-8"))
    assert json.loads(capsys.readouterr().out) == result
    assert [figure["verdict"] for figure in result["figures"]] == ["failed", "pass"]
    assert (result["benchmark"], result["quick"]) == ("releases", True)
    assert result["machine"]["packages"]["tuf"]


def test_the_rows_are_those_of_the_issue() -> None:
    """A row that vanished would be a goal that nobody holds."""
    assert [row.name for row in releases.ROWS] == [
        "update",
        "slow-link",
        "request-p99",
        "refresh",
        "tick",
        "fleet-page",
    ]
