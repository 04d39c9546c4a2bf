"""`topscoop client export`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.builders.client_cli import Shell
from tests.builders.client_stage import ClientStage


def test_everything_is_printed_or_written(
    stage: ClientStage, shell: Shell, photo: Path, tmp_path: Path
) -> None:
    """A file that exists is never written over."""
    stage.log_in()
    request_id = shell.json("recommend", photo)["request_id"]
    printed = json.loads(shell("export")[1])
    assert [one["request_id"] for one in printed["uploads"]] == [request_id]
    file = tmp_path / "mine.json"
    assert shell.json("export", "--to", file) == {"written": str(file)}
    assert json.loads(file.read_text("utf-8"))["uploads"] == printed["uploads"]
    status, _, err = shell("export", "--to", file)
    assert status == 2
    assert "cannot write" in err
