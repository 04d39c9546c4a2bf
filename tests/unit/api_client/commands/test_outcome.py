"""`topscoop client outcome`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.client_cli import Shell
from tests.builders.client_stage import ClientStage


def test_a_sale_is_recorded(stage: ClientStage, shell: Shell, photo: Path) -> None:
    """One scoop unless it says more; the list shows it."""
    stage.log_in()
    request_id = shell.json("recommend", photo)["request_id"]
    status, out, _ = shell("outcome", request_id, "pistachio=2", "lemon")
    assert (status, out) == (0, "recorded: 2 pistachio, 1 lemon\n")
    assert len(shell.json("outcome", request_id, "lemon", "pistachio", "pistachio")["lines"]) == 2
    assert "bought: 2 pistachio, 1 lemon" in shell("history")[1]


@pytest.mark.parametrize("word", ["=2", "lemon=x", "lemon=-1"])
def test_what_is_no_sale_is_wrong_use(shell: Shell, word: str) -> None:
    """Nothing is sent."""
    assert shell("outcome", "r", word)[0] == 2
