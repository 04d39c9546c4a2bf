"""Logins lie in files that only their owner reads."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from api_client.logins import Login, LoginFiles
from wire_protocol.errors import OperatorError

LOGIN = Login("https://gelateria-sole.example:8440", "secret-token", 1000.5, ca="/ca.pem", client_id="c")


def test_a_login_is_kept_and_forgotten(tmp_path: Path) -> None:
    """Mode 600 in a folder of mode 700; one a chain; forgetting twice is once."""
    files = LoginFiles(tmp_path / "state" / "client")
    assert files.read(LOGIN.origin) is None
    files.write(LOGIN)
    (path,) = files.folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700
    assert files.read(LOGIN.origin) == LOGIN
    assert files.read("https://gelateria-sole.example") is None
    assert files.named("gelateria-sole") == [LOGIN.origin]
    assert files.named("gelateria") == []
    files.forget(LOGIN.origin)
    files.forget(LOGIN.origin)
    assert files.read(LOGIN.origin) is None


def test_the_token_stands_in_no_repr() -> None:
    """So it comes into no log or traceback by mistake."""
    assert "secret-token" not in repr(LOGIN)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"origin": 1, "token": 2, "ends_at_s": 3}', '{"origin": "x"}']
)
def test_a_broken_file_is_told(tmp_path: Path, text: str) -> None:
    """With what to do."""
    files = LoginFiles(tmp_path)
    files.write(LOGIN)
    (path,) = tmp_path.iterdir()
    path.write_text(text, "utf-8")
    with pytest.raises(OperatorError, match=r"broken|cannot read"):
        files.read(LOGIN.origin)
    assert files.named("gelateria-sole") == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file stands where the folder should."""
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(OperatorError, match="cannot keep"):
        LoginFiles(tmp_path / "file" / "client").write(LOGIN)


def test_they_lie_below_the_users_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """XDG: a relative path is ignored."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert LoginFiles.default().folder == tmp_path / "topscoop" / "client"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert LoginFiles.default().folder == tmp_path / "home/.local/state/topscoop/client"
