"""Secrets of chains as files."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from cloud.identity.errors import IssuerSecretUnusable, UserKeyUnusable
from cloud.identity.secret_files import IssuerSecrets, UserKeys

if TYPE_CHECKING:
    from pathlib import Path

ISSUER = "https://login.example"


def test_a_chains_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    made = UserKeys(tmp_path).secret("sole")
    file = tmp_path / "user-keys" / "sole.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert UserKeys(tmp_path).secret("sole") == made == file.read_bytes()
    assert UserKeys(tmp_path).secret("nord") != made
    assert sorted(one.name for one in file.parent.iterdir()) == ["nord.key", "sole.key"]


def test_processes_that_begin_at_once_agree_on_one(tmp_path: Path) -> None:
    """Nobody becomes two people because two processes began at the same moment."""
    start = threading.Barrier(8)
    got: list[bytes] = []

    def first_use() -> None:
        keys = UserKeys(tmp_path)
        start.wait(30)
        got.append(keys.secret("sole"))

    threads = [threading.Thread(target=first_use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(got) == 8
    assert len(set(got)) == 1


@pytest.mark.parametrize("change", ["open", "short"])
def test_a_key_that_was_touched_is_refused(tmp_path: Path, change: str) -> None:
    UserKeys(tmp_path).secret("sole")
    file = tmp_path / "user-keys" / "sole.key"
    if change == "open":
        file.chmod(0o644)
    else:
        os.truncate(file, 31)
    with pytest.raises(UserKeyUnusable):
        UserKeys(tmp_path).secret("sole")


def test_a_chain_has_a_name_and_no_path(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a tenant"):
        UserKeys(tmp_path).secret("../sole")
    with pytest.raises(ValueError, match="not a tenant"):
        IssuerSecrets(tmp_path).read("../sole", ISSUER)


def test_our_secret_at_a_provider(tmp_path: Path) -> None:
    secrets = IssuerSecrets(tmp_path)
    assert secrets.read("sole", ISSUER) is None
    secrets.write("sole", ISSUER, "a secret")
    (file,) = (tmp_path / "issuer-secrets" / "sole").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert secrets.read("sole", ISSUER) == "a secret"
    assert secrets.read("nord", ISSUER) is None
    file.chmod(0o640)
    with pytest.raises(IssuerSecretUnusable, match="others may read"):
        secrets.read("sole", ISSUER)
    secrets.delete("sole", ISSUER)
    secrets.delete("sole", ISSUER)
    assert secrets.read("sole", ISSUER) is None


@pytest.mark.parametrize("secret", ["", "two\nlines", "x" * 5000])
def test_what_is_no_secret_is_not_kept(tmp_path: Path, secret: str) -> None:
    with pytest.raises(IssuerSecretUnusable):
        IssuerSecrets(tmp_path).write("sole", ISSUER, secret)
