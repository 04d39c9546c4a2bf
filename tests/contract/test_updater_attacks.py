"""Attacks on releases by the names of the TUF specification, over the pipe and over HTTP (T8, T9)."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from edge_agent.updater import process
from tests.builders.file_http_server import FileHttpServer
from tests.builders.release_repository import ReleaseRepository
from tests.builders.updater_errand import FolderService, Told, make_job, run_here
from wire_protocol.fleet_messages import UpdateReason
from wire_protocol.release_metadata import model_path

DAY_MS = 86_400_000


class Till:
    """A register that looks for releases, whatever the way."""

    def __init__(self, folder: Path, repository: ReleaseRepository, transport: str) -> None:
        self.folder, self.repository, self.transport = folder, repository, transport
        self.service = FolderService(repository.folder)

    def look(self, release: int | None = None, *, served: Path | None = None, **changed: Any) -> Told:
        """One errand, with the repository's folder, or another, behind the transport."""
        job = make_job(self.folder, self.repository, release, **changed)
        if self.transport == "pipe":
            self.service.folder = served or self.repository.folder
            return run_here(job, self.service)
        with FileHttpServer(served or self.repository.folder) as server:
            return run_here(replace(job, source=server.url), self.service)

    def kept(self, role: str) -> bytes:
        """The metadata that it trusts."""
        return (self.folder / "metadata" / f"{role}.json").read_bytes()


@pytest.fixture
def repository(tmp_path: Path) -> ReleaseRepository:
    return ReleaseRepository(tmp_path / "store")


@pytest.fixture(params=["pipe", "http"])
def till(request: pytest.FixtureRequest, tmp_path: Path, repository: ReleaseRepository) -> Till:
    return Till(tmp_path / "till", repository, request.param)


def refused(told: Told, reason: UpdateReason = UpdateReason.UNTRUSTED) -> None:
    """It came to nothing for this reason, may be tried again, and adopted nothing."""
    assert told.failed.reason is reason, told.failed
    assert told.failed.passing
    assert told.failed.verified is None


def older(repository: ReleaseRepository, place: Path) -> Path:
    """The repository as it is now, to be served later."""
    shutil.copytree(repository.folder, place)
    return place


def test_an_honest_repository_is_taken(till: Till) -> None:
    """What follows is refused for what it is, and not because nothing works."""
    assert till.look().done.verified.metadata.timestamp == 1


def test_rollback_of_the_whole_repository(till: Till, tmp_path: Path) -> None:
    """T8: an old state that was honest once is not taken back."""
    before = older(till.repository, tmp_path / "old")
    till.repository.renew()
    till.look()
    kept = till.kept("timestamp")
    refused(till.look(served=before))
    assert till.kept("timestamp") == kept


def test_rollback_of_targets_with_stolen_online_keys(till: Till) -> None:
    """T8, T9: who holds timestamp and snapshot keys cannot bring back older targets."""
    till.repository.publish()
    till.look()
    snapshot = till.repository.roles["snapshot"].signed
    snapshot.meta["targets.json"].version = 1
    snapshot.version += 1
    till.repository.write("snapshot", till.repository.sign("snapshot"))
    timestamp = till.repository.roles["timestamp"].signed
    timestamp.snapshot_meta.version = snapshot.version
    timestamp.version += 1
    till.repository.write("timestamp", till.repository.sign("timestamp"))
    refused(till.look())


def test_freeze(till: Till) -> None:
    """T8: a repository that stands still is found out when its timestamp expires."""
    till.look()
    refused(till.look(signed_ms=int(time.time() * 1000) + 8 * DAY_MS), UpdateReason.METADATA_EXPIRED)


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets"])
def test_expired(till: Till, role: str) -> None:
    """T8: every role's expiry counts."""
    till.repository.expire(role)
    refused(till.look(), UpdateReason.METADATA_EXPIRED)


def test_fast_forward_is_recovered_from_by_new_keys(till: Till) -> None:
    """T8: versions that a thief of the online keys drove up do not lock a register out for good."""
    for role in ("timestamp", "snapshot"):
        till.repository.roles[role].signed.version = 2**31
    till.repository.publish(targets=False)
    assert till.look().done.verified.metadata.timestamp > 2**31
    for role in ("timestamp", "snapshot"):
        till.repository.roles[role].signed.version = 1
        till.repository.rotate(role)
    assert till.look().done.verified.metadata.timestamp < 10


def test_mix_and_match(till: Till) -> None:
    """T8: targets of one state and the snapshot of another do not go together."""
    metadata = till.repository.folder / "metadata"
    first = (metadata / "1.targets.json").read_bytes()
    till.repository.publish()
    (metadata / "2.targets.json").write_bytes(first)
    refused(till.look())


def test_endless_metadata(till: Till) -> None:
    """T8: a timestamp that does not end is left after its bound."""
    with (till.repository.folder / "metadata" / "timestamp.json").open("ab") as file:
        file.truncate(50_000_000)
    told = till.look()
    refused(told)
    assert till.service.sent_bytes < 300_000


def test_endless_target(till: Till) -> None:
    """T8: a file that is longer than signed is not even begun."""
    till.repository.add_release(1)
    with till.repository.target_file(model_path(1)).open("ab") as file:
        file.truncate(60_000_000)
    told = till.look(1)
    assert told.failed.reason is UpdateReason.UNREACHABLE
    assert "signed" in told.failed.words
    assert not list((till.folder / "releases").iterdir())


def test_arbitrary_software(till: Till) -> None:
    """T8: other bytes of the right length are fetched, and thrown away."""
    till.repository.add_release(1)
    file = till.repository.target_file(model_path(1))
    file.write_bytes(bytes(reversed(file.read_bytes())))
    told = till.look(1)
    assert told.failed.reason is UpdateReason.DIGEST_MISMATCH
    assert told.failed.passing
    assert not list((till.folder / "releases").iterdir())
    assert not list((till.folder / "staging").rglob("model.onnx*"))


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_wrong_key(till: Till, role: str) -> None:
    """T8, T9: a role's key signs for that role only."""
    other = "snapshot" if role == "timestamp" else "timestamp"
    till.repository.write(role, till.repository.sign(role, with_keys_of=other))
    refused(till.look())


def test_missing_threshold(till: Till) -> None:
    """T8, T9: one of three root keys makes no root."""
    keys = till.repository.signers["root"]
    till.repository.signers["root"] = keys[:1]
    till.repository.publish_root()
    refused(till.look())


def test_revoked_targets_key(till: Till) -> None:
    """T9: a stolen targets key is worth nothing after the root that replaces it."""
    stolen = list(till.repository.signers["targets"])
    till.repository.rotate("targets")
    till.repository.signers["targets"] = stolen
    till.repository.publish()
    refused(till.look())


def test_other_chains_metadata(till: Till, tmp_path: Path) -> None:
    """T8: another chain's repository, honest as it is, is none of ours."""
    other = ReleaseRepository(tmp_path / "other", "yogurt-bar")
    refused(till.look(served=other.folder))


@pytest.mark.parametrize("damage", ["zeroed", "truncated", "gone"])
def test_the_floor_outlives_the_cached_metadata(till: Till, tmp_path: Path, damage: str) -> None:
    """T8, T13: with its cached metadata ruined, a register takes nothing from before its floor, and heals."""
    before = older(till.repository, tmp_path / "old")
    till.repository.set_policy(minimum_release=3)
    floor = till.look().done.verified.metadata.floor
    assert floor == 3
    for file in (till.folder / "metadata").rglob("*.json"):
        match damage:
            case "zeroed" if not file.is_symlink():
                file.write_bytes(bytes(file.stat().st_size))
            case "truncated" if not file.is_symlink():
                file.write_bytes(file.read_bytes()[:100])
            case "gone":
                file.unlink()
    refused(till.look(served=before, floor=floor))
    assert till.look(floor=floor).done.verified.metadata.floor == 3


def test_a_withdrawal_outlives_the_cached_metadata(till: Till, tmp_path: Path) -> None:
    """T8, T9: with the cache gone, honest metadata from before a withdrawal is refused; a new root heals."""
    till.repository.add_release(1)
    till.look()
    before = older(till.repository, tmp_path / "old")
    till.repository.withdraw(1, "sells less")
    seen = till.look().done.verified.metadata
    known = {"root_version": seen.root, "targets_version": seen.targets}
    shutil.rmtree(till.folder / "metadata")
    refused(till.look(served=before, **known))
    till.repository.rotate("targets")
    assert till.look(**known).done.verified.metadata.root == seen.root + 1


def test_metadata_without_a_policy(till: Till) -> None:
    """Fail closed: signed targets that say nothing about releases allow none."""
    metadata = till.repository.roles["targets"]
    till.repository.publish()
    del metadata.signed.unrecognized_fields["topscoop"]
    till.repository.write("targets", till.repository.sign("targets"))
    refused(till.look())


@pytest.fixture
def fast_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The register's clock is a year ahead."""
    real = time.time
    monkeypatch.setattr(process.time, "time", lambda: real() + timedelta(days=300).total_seconds())


@pytest.mark.usefixtures("fast_clock")
def test_a_clock_that_is_ahead_is_called_so(tmp_path: Path, repository: ReleaseRepository) -> None:
    """Metadata that looks expired only because the till's clock is off is told apart by the cloud's time."""
    till = Till(tmp_path / "till", repository, "pipe")
    refused(till.look(), UpdateReason.METADATA_EXPIRED)
    till.service.signed_ms = int((time.time() - timedelta(days=300).total_seconds()) * 1000)
    told = till.look()
    refused(told, UpdateReason.CLOCK)
    assert "days ahead" in told.failed.words


@pytest.mark.usefixtures("fast_clock")
def test_a_clock_does_not_excuse_what_really_expired(tmp_path: Path, repository: ReleaseRepository) -> None:
    """T8: a till with a wrong clock still says that metadata expired, when it did."""
    repository.expire("timestamp")
    till = Till(tmp_path / "till", repository, "pipe")
    till.service.signed_ms = int((time.time() - timedelta(days=300).total_seconds()) * 1000)
    refused(till.look(), UpdateReason.METADATA_EXPIRED)


def test_a_look_with_nothing_new_is_cheap(tmp_path: Path, repository: ReleaseRepository) -> None:
    """Two requests, and under 2 KB."""
    till = Till(tmp_path / "till", repository, "pipe")
    till.look()
    till.service.asked.clear()
    till.service.sent_bytes = 0
    till.look()
    assert [need.path for need in till.service.asked] == ["metadata/2.root.json", "metadata/timestamp.json"]
    assert till.service.sent_bytes < 1500
