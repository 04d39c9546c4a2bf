import json
from pathlib import Path

import pytest

from edge_agent import latency
from tests.builders.tiny_model import build_model_dir
from topscoop.cli import main


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "_HOT_RUNS", 3)
    monkeypatch.setattr(latency, "_RESIZE_RUNS", 3)


def test_a_table_and_the_same_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["edge", "bench", "--seconds", "0.1", "--model", str(build_model_dir(tmp_path))]
    assert main(words) == 0
    table = capsys.readouterr().out
    assert "gelateria-sole-tiny 2026.11.22 on " in table
    assert "one per 33 ms, after warm-up" in table
    assert main([*words, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["latency_ms"]
    assert len(table.splitlines()) == len(rows) + 2
    assert rows["cadence_warm"].keys() == {"p50", "p90", "p99", "n"}
