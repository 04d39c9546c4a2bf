import argparse
import json
from pathlib import Path

import jsonschema
import pytest

from daemon.errors import ConfigError
from edge_agent.commands import config as command

MINIMAL = 'tenant = "gelateria-sole"\nstore = "rimini"\nregister = "till-1"\n'


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["config", *words])
    return int(args.run(args))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "edge.toml"
    path.write_text(MINIMAL)
    return path


def test_check_says_good(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("check", "--config", str(file)) == 0
    assert "register till-1 of store rimini, chain gelateria-sole: good" in capsys.readouterr().out
    assert call("check", "--json", "--config", str(file)) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "file": str(file)}


@pytest.mark.parametrize("mistake", ["nope = 1", 'camera = "gopher://x"'])
def test_check_names_the_mistake(file: Path, mistake: str, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(f"{MINIMAL}{mistake}\n")
    with pytest.raises(ConfigError):
        call("check", "--config", str(file))
    assert call("check", "--json", "--config", str(file)) == 2
    answer = json.loads(capsys.readouterr().out)
    assert not answer["ok"]
    assert len(answer["problems"]) == 1
    assert answer["remedy"]


def test_show_prints_every_value_with_its_origin(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOPSCOOP_EDGE_API_PORT", "0")
    assert call("show", "--json", "--config", str(file)) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows["api.port"] == {"value": 0, "from": "TOPSCOOP_EDGE_API_PORT"}
    assert rows["tenant"] == {"value": "gelateria-sole", "from": str(file)}
    assert rows["model_dir"] == {"value": None, "from": "default"}
    assert call("show", "--config", str(file)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(rows)
    assert any(line.split() == ["api.port", "=", "0", "#", "TOPSCOOP_EDGE_API_PORT"] for line in lines)


def test_show_keeps_secrets(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pairing tokens and the camera's password."""
    file.write_text(
        MINIMAL + 'camera = "rtsp://u:hunter2@cam/s"\n[api]\npairing_tokens = ["0123456789abcdef"]\n'
    )
    for words in (["show"], ["show", "--json"]):
        assert call(*words, "--config", str(file)) == 0
        out = capsys.readouterr().out
        assert "(1 set)" in out
        assert "0123456789abcdef" not in out
        assert "hunter2" not in out


def test_schema_is_a_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("schema") == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["required"] == ["tenant", "store", "register"]
