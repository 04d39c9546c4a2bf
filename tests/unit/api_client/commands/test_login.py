"""`topscoop client login`."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import httpx
import pytest

from tests.builders.client_cli import Shell
from tests.builders.client_stage import ORIGIN, ClientStage

_TOKEN = {"access_token": "t" * 43, "token_type": "Bearer", "expires_in": 3600}
_PENDING = {"error": "authorization_pending", "error_description": "nobody has approved the device yet"}


def test_a_machine_logs_in(stage: ClientStage, shell: Shell, tmp_path: Path) -> None:
    """With id and secret file; neither secret nor token is printed."""
    client_id, secret = stage.machine()
    (tmp_path / "secret").write_text(secret, "utf-8")
    words = ("login", "--client-id", client_id, "--secret-file", tmp_path / "secret")
    status, out, err = shell(*words)
    assert (status, out, err) == (0, f"logged in at {ORIGIN}\n", "")
    assert shell.json(*words) == {"chain": ORIGIN, "logged_in": True}
    login = stage.logins.read(ORIGIN)
    assert login is not None
    assert login.token not in out
    assert shell("history")[0] == 0


def test_a_person_is_shown_address_and_code(stage: ClientStage, shell: Shell) -> None:
    """On standard error, so that what is printed is the result."""
    stage.script("POST /v1/token", httpx.Response(400, json=_PENDING), httpx.Response(200, json=_TOKEN))
    status, out, err = shell("login")
    assert status == 0
    assert f"Open   {ORIGIN}/device\n" in err
    assert "Code   " in err
    assert out == f"logged in at {ORIGIN}\n"
    assert _TOKEN["access_token"] not in out + err


@pytest.mark.parametrize(("words", "count"), [(("", ()), 0), ((":0", ()), 1), ((":0", ("--no-browser",)), 0)])
def test_a_browser_opens_where_there_is_a_screen(
    stage: ClientStage,
    shell: Shell,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, tuple[str, ...]],
    count: int,
) -> None:
    """With the code in the address; never in a terminal's place."""
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setenv("DISPLAY", words[0])
    stage.script("POST /v1/token", httpx.Response(200, json=_TOKEN))
    assert shell("login", *words[1])[0] == 0
    assert len(opened) == count
    assert all(one.startswith(f"{ORIGIN}/device?user_code=") for one in opened)


def test_only_the_chains_own_pages_are_opened(
    stage: ClientStage, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever an answer says."""
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setenv("DISPLAY", ":0")
    begun = {
        "device_code": "d",
        "user_code": "BCDF-GHJK",
        "verification_uri": "https://evil.example/\x1b[2J",
        "verification_uri_complete": f"{ORIGIN}.evil.example/device",
        "expires_in": 600,
        "interval": 5,
    }
    stage.script("POST /v1/device", httpx.Response(200, json=begun))
    stage.script("POST /v1/token", httpx.Response(200, json=_TOKEN))
    _, _, err = shell("login")
    assert opened == []
    assert "\x1b" not in err


@pytest.mark.parametrize(
    "words",
    [("--client-id", "c"), ("--secret-file", "f"), ("--device", "--client-id", "c", "--secret-file", "f")],
)
def test_half_a_machine_is_wrong_use(shell: Shell, words: tuple[str, ...]) -> None:
    """Nothing is sent."""
    assert shell("login", *words)[0] == 2
