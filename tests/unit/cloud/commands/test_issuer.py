"""`topscoop cloud issuer`, from an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud.config_sources import load_config
from cloud.identity.secret_files import IssuerSecrets
from tests.builders.cloud_cli import cloud, cloud_json
from tests.builders.cloud_database import set_up

_CONFIG = """
environment = "development"
state_dir = "state"
[master_key]
kind = "file"
[console]
oidc_issuer = "http://localhost:8731"
[public_api]
public_url = "https://{tenant}.api.example"
"""
GOOGLE = "https://accounts.google.com"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cloud.toml"
    path.write_text(_CONFIG)
    set_up(load_config(path, {}).config)
    assert cloud("tenant", "add", "gelato", "--config", path)[0] == 0
    return path


def _issuer(file: Path, action: str, *more: str | Path) -> tuple[int, str, str]:
    return cloud("issuer", action, "--tenant", "gelato", *more, "--config", file)


def test_a_provider_is_added_listed_and_removed(file: Path) -> None:
    """Its secret goes into a file of its own, and into nothing that is printed."""
    assert _issuer(file, "list")[1].startswith("none yet")
    secret = file.parent / "secret.txt"
    secret.write_text("a secret\n")
    added = cloud_json(
        *("issuer", "add", "--tenant", "gelato", "--preset", "google", "--client-id", "us"),
        *("--client-secret-file", secret, "--audience", "https://flavours.example", "--config", file),
    )
    assert (added["issuer"], added["label"], added["audience"]) == (
        GOOGLE,
        "Google",
        "https://flavours.example",
    )
    assert added["redirect_uri"].startswith("https://gelato.api.example/login/callback/")
    assert "a secret" not in str(added)
    assert IssuerSecrets(file.parent / "state").read("gelato", GOOGLE) == "a secret"
    assert "Google" in _issuer(file, "list")[1]
    assert cloud_json("issuer", "list", "--tenant", "gelato", "--config", file) == [added]
    assert "logged out" in _issuer(file, "remove", "--issuer", GOOGLE)[1]
    assert IssuerSecrets(file.parent / "state").read("gelato", GOOGLE) is None
    status, _, err = _issuer(file, "remove", "--issuer", GOOGLE)
    assert status != 0
    assert "issuer list" in err


def test_one_command_adds_the_development_provider(file: Path) -> None:
    status, out, _ = _issuer(file, "add", "--preset", "development")
    assert status == 0
    assert "http://localhost:8731" in out
    assert "redirect address https://gelato.api.example/login/callback/" in out


def test_what_cannot_work_is_refused_with_what_to_do(file: Path) -> None:
    """And nothing is kept of it."""
    for arguments in (
        ["--preset", "myspace", "--client-id", "x"],
        ["--preset", "google"],
        ["--client-id", "x"],
        ["--issuer", "login.example", "--client-id", "x"],
        ["--issuer", "https://login.example", "--client-id", "x", "--token-endpoint", "x"],
        ["--preset", "google", "--client-id", "x", "--client-secret-file", "/nowhere"],
    ):
        status, _, err = _issuer(file, "add", *arguments)
        assert status != 0, arguments
        assert err
    assert _issuer(file, "list")[1].startswith("none yet")


@pytest.mark.parametrize("slip", [("--client-id", "x" * 201), ("--client-id", "us", "--audience", "")])
def test_a_slip_is_told_and_nothing_is_kept_of_it(file: Path, slip: tuple[str, ...]) -> None:
    """A client id is never shortened; an empty audience would let tokens for nobody in."""
    status, _, error = _issuer(file, "add", "--preset", "google", *slip)
    assert status == 2
    assert "--audience" in error
    assert _issuer(file, "list")[1].startswith("none yet")
