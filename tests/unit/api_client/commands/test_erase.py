"""`topscoop client erase`."""

from __future__ import annotations

from pathlib import Path

from tests.builders.client_cli import Shell
from tests.builders.client_stage import ORIGIN, ClientStage


def test_it_asks_first(stage: ClientStage, shell: Shell) -> None:
    """Without a yes, or a person, nothing is erased."""
    stage.log_in()
    for typed in (None, "no\n", "y\n", ""):
        shell.type(typed)
        assert shell("erase")[0] == 2
    assert stage.asked("DELETE /v1/me") == []
    shell.type("yes\n")
    assert shell("erase")[0] == 0
    assert len(stage.asked("DELETE /v1/me")) == 1


def test_all_goes_and_the_proof_stays(stage: ClientStage, shell: Shell, photo: Path) -> None:
    """Recommendations and login are gone; the proof says how far it is, without a login."""
    stage.log_in()
    shell.json("recommend", photo)
    status, out, _ = shell("erase", "--yes")
    assert status == 0
    proof = out.splitlines()[0].split()[-1]
    assert stage.logins.read(ORIGIN) is None
    status, out, _ = shell("erase", "--proof", proof)
    assert status == 0
    assert "asked for at" in out
    assert shell.json("erase", "--proof", proof)["counts"]["recommendations"] == 1
    status, _, err = shell("history")
    assert status == 1
    assert "topscoop client login" in err
