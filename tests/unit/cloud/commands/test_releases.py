"""`topscoop cloud releases` and `tenant trust|keys`, as an operator goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud.config_sources import load_config
from cloud.service_keys import Purpose
from tests.builders.cloud_cli import cloud, cloud_json
from tests.builders.cloud_database import set_up
from tests.builders.release_repository import ReleaseRepository

if TYPE_CHECKING:
    from pathlib import Path

TENANT = "gelateria-sole"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cloud.toml"
    path.write_text(
        'environment = "development"\nstate_dir = "state"\n[master_key]\nkind = "file"\n'
        '[releases]\nfolder = "store"\n'
    )
    set_up(load_config(path, {}).config)
    cloud_json("tenant", "add", TENANT, "--config", path)
    return path


@pytest.fixture
def repository(tmp_path: Path) -> ReleaseRepository:
    return ReleaseRepository(tmp_path / "store", TENANT)


def _trust(file: Path, repository: ReleaseRepository) -> str:
    root = repository.folder / "metadata" / "1.root.json"
    status, out, err = cloud("tenant", "trust", TENANT, root, "--config", file)
    assert status == 0, err
    return out


def test_from_a_root_to_a_list(file: Path, repository: ReleaseRepository) -> None:
    """Nothing trusted, trusted, looked at, listed, withdrawn; each answer says the next step."""
    assert "tenant trust" in cloud("releases", "look", "--config", file)[1]
    assert "tenant trust" in cloud("releases", "list", "--config", file)[1]
    assert "2 of 3 keys" in _trust(file, repository)
    assert "not looked at yet" in cloud("releases", "list", "--config", file)[1]
    repository.add_release(1, version="2026.11.1")
    repository.set_policy(champion=1)
    assert cloud_json("releases", "look", "--config", file) == [
        {"tenant": TENANT, "problem": None, "listed": [1], "withdrawn": [], "listed_again": []}
    ]
    listed = cloud("releases", "list", "--config", file)[1]
    assert "verified, good until" in listed
    assert repository.digest(1)[:12] in listed
    assert "champion" in listed
    repository.set_policy(champion=None)
    repository.withdraw(1, "melts")
    assert "withdrawn: 1" in cloud("releases", "look", "--config", file)[1]
    assert "withdrawn: melts" in cloud("releases", "list", "--config", file)[1]
    (chain,) = cloud_json("releases", "list", "--tenant", TENANT, "--config", file)
    assert [one["withdrawn_reason"] for one in chain["releases"]] == ["melts"]


def test_a_repository_that_cannot_be_verified_ends_with_status_1(
    file: Path, repository: ReleaseRepository
) -> None:
    """T8: and says why, in a sentence with what to do."""
    _trust(file, repository)
    repository.expire("timestamp")
    status, out, _ = cloud("releases", "look", "--config", file)
    assert (status, "has ended" in out, "topscoop model" in out) == (1, True, True)
    assert "has ended" in cloud("releases", "list", "--config", file)[1]


def test_what_is_asked_wrongly_is_answered_with_what_to_do(
    file: Path, repository: ReleaseRepository, tmp_path: Path
) -> None:
    """No such chain, no root, no file, no name."""
    assert cloud("releases", "look", "--tenant", TENANT, "--config", file)[0] == 2
    assert cloud("releases", "list", "--tenant", "nobody", "--config", file)[0] == 2
    assert cloud("tenant", "trust", TENANT, tmp_path / "none", "--config", file)[0] == 2
    root = repository.folder / "metadata" / "1.root.json"
    assert cloud("tenant", "trust", "nobody", root, "--config", file)[0] == 2
    assert cloud("tenant", "trust", "A/B", root, "--config", file)[0] == 2
    junk = tmp_path / "junk"
    junk.write_bytes(b"junk")
    status, _, err = cloud("tenant", "trust", TENANT, junk, "--config", file)
    assert (status, "1.root.json" in err) == (2, True)


def test_a_chain_that_has_all_keys_gets_none(file: Path) -> None:
    """The command may be run at any time."""
    assert "has all of its keys" in cloud("tenant", "keys", TENANT, "--config", file)[1]
    said = cloud_json("tenant", "keys", TENANT, "--config", file)
    assert said["made"] == []
    assert {key["purpose"] for key in said["keys"]} == {str(one) for one in Purpose}
