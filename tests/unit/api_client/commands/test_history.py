"""`topscoop client history`."""

from __future__ import annotations

from pathlib import Path

from tests.builders.client_cli import Shell
from tests.builders.client_stage import ClientStage


def test_ones_own_are_listed_newest_first(stage: ClientStage, shell: Shell, photo: Path) -> None:
    """One a line, as many as asked for."""
    stage.log_in()
    assert "none yet" in shell("history")[1]
    sent = []
    for _ in range(3):
        stage.api.clock[0] += 1000
        sent.append(shell.json("recommend", photo)["request_id"])
    _, out, _ = shell("history")
    assert len(out.splitlines()) == 3
    assert "Pistachio, Lemon, Hazelnut" in out
    assert len(shell.json("history", "--limit", 2)) == 2
    assert {one["request_id"] for one in shell.json("history")} == set(sent)
