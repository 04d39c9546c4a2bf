import json
from pathlib import Path

import pytest

from edge_agent.adapters.checks import camera, model
from tests.builders.tiny_model import build_model_dir
from topscoop.cli import main


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_SECOND_CHANCE_S", 0.05)
    monkeypatch.setattr(camera, "_WATCHED_S", 0.2)
    monkeypatch.setattr(model, "_RUNS", 2)


def write_config(tmp_path: Path, source: str) -> str:
    file = tmp_path / "edge.toml"
    directory = build_model_dir(tmp_path / "model")
    # A generous budget: what is tested here is the command, not this machine's speed.
    manifest = directory / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"p99": 1.0', '"p99": 10000.0'))
    file.write_text(
        f'tenant = "gelateria-sole"\nstore = "s1"\nregister = "r1"\ndata_dir = "{tmp_path / "data"}"\n'
        f'model_dir = "{directory}"\n[api]\nport = 0\n[camera]\nsource = "{source}"\n'
    )
    return str(file)


def test_a_fit_till_passes_every_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edge", "doctor", "--config", write_config(tmp_path, "synthetic:"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is True
    assert [check["check"] for check in answer["checks"]] == (
        ["cpu", "memory", "clock", "config", "disk", "api", "camera", "model", "golden", "latency"]
    )
    assert not (tmp_path / "data").exists(), "the doctor changes nothing"


def test_a_missing_camera_fails_with_a_remedy_and_the_rest_is_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["edge", "doctor", "--config", write_config(tmp_path, "/dev/video93")]) == 1
    said = capsys.readouterr()
    lines = said.out.splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith("FAILED  camera"))
    assert "there is no /dev/video93" in lines[at]
    assert "plugged in" in lines[at + 1]
    assert any(" latency " in line for line in lines)
    assert "1 of 10 checks failed" in said.err


def test_an_unusable_configuration_ends_the_examination(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["edge", "doctor", "--config", str(tmp_path / "gone.toml"), "--json"]) == 1
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert checks[-1]["check"] == "config"
    assert checks[-1]["verdict"] == "failed"
