"""`topscoop client logout`."""

from __future__ import annotations

from tests.builders.client_cli import Shell
from tests.builders.client_stage import ORIGIN, ClientStage


def test_it_ends_the_login_once(stage: ClientStage, shell: Shell) -> None:
    """A second time it says that nobody was."""
    stage.log_in()
    assert shell("logout")[:2] == (0, f"logged out at {ORIGIN}\n")
    assert stage.logins.read(ORIGIN) is None
    assert shell("logout")[:2] == (0, f"nobody was logged in at {ORIGIN}\n")
    assert shell.json("logout") == {"chain": ORIGIN, "was_logged_in": False}
