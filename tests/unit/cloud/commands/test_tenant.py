"""`topscoop cloud tenant`, from an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud.config_sources import load_config
from cloud.database.engine import open_database
from cloud.service_keys import Purpose, ServiceKeyFolder
from tests.builders.cloud_cli import cloud, cloud_json
from tests.builders.cloud_database import set_up

_DEVELOPMENT = 'environment = "development"\nstate_dir = "state"\n[master_key]\nkind = "file"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cloud.toml"
    path.write_text(_DEVELOPMENT)
    set_up(load_config(path, {}).config)
    return path


def test_a_chain_is_added_listed_and_shown(file: Path) -> None:
    """With its quotas, and the public halves of keys whose private halves are in the state folder."""
    assert cloud("tenant", "list", "--config", file)[1].startswith("no chains yet")
    added = cloud_json(
        "tenant", "add", "gelato", "--name", "Gelato Nord", "--retention-days", 30, "--config", file
    )
    assert (added["name"], added["retention_days"], added["frames_per_day"]) == ("Gelato Nord", 30, 1_000_000)
    assert cloud_json("tenant", "list", "--config", file) == [
        {"tenant": "gelato", "name": "Gelato Nord", "registers": {}}
    ]
    assert cloud_json("tenant", "show", "gelato", "--config", file) == {
        **added,
        "service_keys": sorted(added["service_keys"], key=lambda key: str(key["purpose"])),
    }
    keys = ServiceKeyFolder(file.parent / "state")
    for key in added["service_keys"]:
        assert keys.load("gelato", Purpose(key["purpose"])).kid.hex() == key["kid"]
    assert "Gelato Nord" in cloud("tenant", "list", "--config", file)[1]
    assert "service key" in cloud("tenant", "show", "gelato", "--config", file)[1]


def test_a_chain_is_added_once(file: Path) -> None:
    """The second time changes nothing."""
    first = cloud_json("tenant", "add", "gelato", "--config", file)
    status, _, err = cloud("tenant", "add", "gelato", "--config", file)
    assert status == 2
    assert "was added before" in err
    assert cloud_json("tenant", "show", "gelato", "--config", file)["created_at_ms"] == first["created_at_ms"]


@pytest.mark.parametrize("name", ["A", "a/b", "a_b", "-a", "x" * 33, "../x"])
def test_a_name_that_cannot_stand_in_a_topic_is_refused(file: Path, name: str) -> None:
    """T7: MQTT's wildcards and separators, or a path, in a chain's name."""
    status, _, err = cloud("tenant", "add", "--config", file, "--", name)
    assert status == 2
    assert "cannot be a chain's id" in err


def test_a_quota_out_of_bounds_is_refused(file: Path) -> None:
    """Illinois BIPA 15(a): nothing is kept for longer than three years."""
    status, _, err = cloud("tenant", "add", "gelato", "--retention-days", 1097, "--config", file)
    assert status == 2
    assert "--retention-days must be at most 1096" in err


def test_an_unknown_chain_is_named(file: Path) -> None:
    status, _, err = cloud("tenant", "show", "nobody", "--config", file)
    assert status == 2
    assert "no chain is called 'nobody'" in err


def test_without_set_up_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cloud.toml"
    path.write_text(_DEVELOPMENT)
    (tmp_path / "state").mkdir(mode=0o700)
    status, _, err = cloud("tenant", "list", "--config", path)
    assert status == 2
    assert "topscoop cloud setup" in err


def test_the_next_command_that_it_names_is_one(file: Path) -> None:
    """Copied to the prompt, it needs nothing but a store's and a till's name."""
    said = cloud("tenant", "add", "gelato", "--config", file)[1]
    words = said.partition("next: topscoop cloud ")[2].split()
    assert words == ["register", "add", "--tenant", "gelato", "--store", "STORE", "--register", "NAME"]


def test_a_run_that_was_cut_off_is_completed_by_the_next(file: Path) -> None:
    """T13: keys on the disk, no row yet: the row gets those keys, not others."""
    config = load_config(file, {}).config
    left = ServiceKeyFolder(config.state_dir).make("gelato", Purpose.RECEIPTS)
    added = cloud_json("tenant", "add", "gelato", "--config", file)
    kids = {key["purpose"]: key["kid"] for key in added["service_keys"]}
    assert kids["receipts"] == left.kid.hex()
    with open_database(config.database_url) as database:
        assert database.tenants() == ["gelato"]


def test_a_chain_shows_its_own_notice_and_remembers_the_ones_before(file: Path) -> None:
    """By language; `--list` names every text with its digest."""
    cloud_json("tenant", "add", "gelato", "--name", "Gelato Nord", "--retention-days", 30, "--config", file)
    shown = cloud_json("tenant", "notice", "gelato", "--list", "--config", file)
    assert {one["language"]: one["state"] for one in shown} == dict.fromkeys(
        ("de", "en", "es", "fr", "it"), "shown, built in"
    )
    text = file.with_name("notice.txt")
    for words in ("Darf {controller} das Bild behalten?", "Darf {controller} es {valid_days} Tage behalten?"):
        text.write_text(words)
        listed = cloud_json(
            "tenant", "notice", "gelato", "--language", "de", "--file", text, "--config", file
        )
    states = {one["text"]: one["state"] for one in listed if one["language"] == "de"}
    assert states["Darf Gelato Nord es 30 Tage behalten?"] == "shown, own"
    assert states["Darf Gelato Nord das Bild behalten?"].startswith("shown before until")
    assert "Darf Gelato" in cloud("tenant", "notice", "gelato", "--list", "--config", file)[1]


def test_a_notice_that_cannot_be_is_refused(file: Path) -> None:
    """Nothing changes: no text, no language, no file, or nothing said."""
    cloud_json("tenant", "add", "gelato", "--config", file)
    empty = file.with_name("empty.txt")
    empty.write_text(" ")
    for arguments in (
        ("--language", "de", "--file", empty),
        ("--language", "../x", "--file", empty),
        ("--language", "de", "--file", file.with_name("none.txt")),
        ("--language", "de"),
        (),
    ):
        status, _, err = cloud("tenant", "notice", "gelato", *arguments, "--config", file)
        assert status == 2
        assert err
