"""What our client does beside python-tuf's: durable files, the link to the root in one step, a given time."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tuf.api.exceptions import ExpiredMetadataError

from edge_agent.adapters import durable
from edge_agent.updater.adapters.tuf_client import client, instant, milliseconds
from edge_agent.updater.adapters.tuf_fetcher import SourceFetcher
from tests.builders.release_repository import ReleaseRepository
from tests.builders.updater_errand import FolderSource


@pytest.fixture
def repository(tmp_path: Path) -> ReleaseRepository:
    made = ReleaseRepository(tmp_path / "store")
    made.rotate("timestamp")
    return made


def fetcher(repository: ReleaseRepository) -> SourceFetcher:
    return SourceFetcher(FolderSource(repository.folder), "x:")


def test_what_is_kept_is_flushed_first(
    tmp_path: Path, repository: ReleaseRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T13: each file is flushed before its rename, and the folder after it; python-tuf does neither."""
    done: list[str] = []
    fsync, replace = os.fsync, type(tmp_path).replace

    def flushed(descriptor: int) -> None:
        done.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    monkeypatch.setattr(durable.os, "fsync", flushed)

    def replaced(path: Path, target: Path) -> Path:
        done.append(f"{path} -> {target}")
        return replace(path, target)

    monkeypatch.setattr(type(tmp_path), "replace", replaced)
    folder = tmp_path / "metadata"
    folder.mkdir()
    client(folder, "x:metadata/", fetcher(repository), repository.first_root).refresh()
    for name in ("timestamp.json", "snapshot.json", "targets.json", "root_history/2.root.json"):
        file = folder / name
        temporary = file.with_name(f".{file.name}.new")
        at = done.index(f"{temporary} -> {file}")
        assert done[at - 1] == str(temporary)
        assert done[at + 1] == str(file.parent)


def test_the_root_is_there_at_every_instant(tmp_path: Path, repository: ReleaseRepository) -> None:
    """`root.json` is a link to the newest root, replaced in one step."""
    folder = tmp_path / "metadata"
    folder.mkdir()
    client(folder, "x:metadata/", fetcher(repository), repository.first_root).refresh()
    assert (folder / "root.json").readlink().as_posix() == "root_history/2.root.json"
    again = client(folder, "x:metadata/", fetcher(repository), None)
    assert [signed.version for signed in again.known()] == [2]


def test_a_link_that_was_left_half_done(tmp_path: Path, repository: ReleaseRepository) -> None:
    """T13: the temporary link of an attempt that ended is no obstacle."""
    folder = tmp_path / "metadata"
    folder.mkdir()
    (folder / ".root.json.new").symlink_to("nowhere")
    client(folder, "x:metadata/", fetcher(repository), repository.first_root).refresh()
    assert (folder / "root.json").exists()


def test_the_time_is_given(tmp_path: Path, repository: ReleaseRepository) -> None:
    """Expiry is judged by it, and by nothing else."""
    (tmp_path / "metadata").mkdir()
    updater = client(tmp_path / "metadata", "x:metadata/", fetcher(repository), repository.first_root)
    updater.judge_by(datetime.now(UTC) + timedelta(days=8))
    with pytest.raises(ExpiredMetadataError):
        updater.refresh()


def test_times_there_and_back() -> None:
    """Milliseconds since 1970."""
    assert milliseconds(instant(1_795_985_460_000)) == 1_795_985_460_000
