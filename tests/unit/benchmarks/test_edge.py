import json
from pathlib import Path

import pytest

from benchmarks import edge


def _args(*words: str) -> object:
    return edge.PROGRAM.parser().parse_args(words)


def test_the_result_names_the_model(tmp_path: Path) -> None:
    """Of its manifest what identifies it; a missing one is said to be missing."""
    assert edge.PROGRAM.more(_args("--model", str(tmp_path))) == {
        "model": {"directory": tmp_path.name, "missing": True}
    }
    manifest = {"tenant": "t", "name": "n", "version": "v", "model": {"sha256": "0"}, "labels": []}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    found = edge.PROGRAM.more(_args("--model", str(tmp_path)))
    assert found == {"model": {key: manifest[key] for key in ("tenant", "name", "version", "model")}}


def test_a_peer_that_is_not_installed_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the command that installs it."""
    monkeypatch.setattr(edge, "PEER_PYTHON", tmp_path / "python")
    with pytest.raises(SystemExit):
        _args("--peer", "litserve")
    assert "make bench-peer" in capsys.readouterr().err
