"""The updater's process: killed at every numbered step, cut off, left alone."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.updater.adapters.preflight_process import ProcessPreflight
from edge_agent.updater.adapters.shelf_folder import FolderShelf
from edge_agent.updater.process import EXIT_ALONE
from edge_agent.updater.steps import Step
from edge_agent.updates.errand import Job, Need, Piece, PieceStatus, Tried
from inference.loading import load
from tests.builders.release_repository import ReleaseRepository
from tests.builders.updater_errand import FolderService, make_job, run_here, run_process
from wire_protocol.fleet_messages import UpdateReason, UpdateState
from wire_protocol.release_metadata import model_path

STOPPING = "tests.builders.stopping_updater"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> ReleaseRepository:
    made = ReleaseRepository(tmp_path_factory.mktemp("store"))
    made.add_release(1, budget_ms=1000)
    made.add_release(2, budget_ms=1000)
    return made


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, repository: ReleaseRepository) -> Path:
    """A register that has release 1."""
    till = tmp_path_factory.mktemp("till")
    told = run_process(make_job(till, repository, 1), FolderService(repository.folder))
    assert told.exit_status == 0
    assert told.done.tried is not None
    assert [one.state for one in told.progress][-1] is UpdateState.PREFLIGHT
    return till


def complete(job: Job) -> list[str]:
    """The releases that lie there; each loads, or this raises."""
    folders = sorted(Path(job.releases_dir).iterdir())
    for folder in folders:
        load(folder)
        assert (folder / "golden.cbor").exists()
    return [folder.name.split("-")[0] for folder in folders]


@pytest.mark.parametrize("step", Step, ids=lambda step: step.name.lower())
def test_killed_at_every_step_and_begun_again(
    first: Path, tmp_path: Path, repository: ReleaseRepository, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T13: after a SIGKILL at any step what lies there is old or new; the same job then succeeds."""
    job = make_job(tmp_path / "till", repository, 2)
    old = Path(job.releases_dir) / next((first / "releases").iterdir()).name
    old.parent.mkdir()
    old.symlink_to(first / "releases" / old.name)
    # A release that was torn by something else lies in the way.
    torn = Path(job.releases_dir) / f"2-{repository.digest(2)[:16]}"
    if step >= Step.CLEAR_PLACE:
        torn.mkdir()
        (torn / "model.onnx").write_bytes(b"torn")
        (torn / "manifest.json").write_bytes(b"{}")
    told = run_process(job, FolderService(repository.folder), command=("-m", STOPPING, str(int(step))))
    assert told.exit_status == -signal.SIGKILL
    assert told.end is None
    if step <= Step.MOVE_IN:
        assert not (torn / "golden.cbor").exists()
        if step is not Step.CLEAR_PLACE:
            assert complete(job) == ["1"]
    else:
        assert complete(job) == ["1", "2"]
    if step is not Step.PREFLIGHT:
        monkeypatch.setattr(ProcessPreflight, "prepare", lambda _: None)
        monkeypatch.setattr(ProcessPreflight, "try_model", lambda *_: Tried(1.0, 1.0, 1, 1, 1.0))
    again = run_here(job, FolderService(repository.folder))
    assert again.done.release == 2
    assert complete(job) == ["1", "2"]
    assert [left.name for left in Path(job.staging_dir).iterdir()] == ["lock"]


def test_a_cut_in_the_middle_costs_little(tmp_path: Path, repository: ReleaseRepository) -> None:
    """What came before the agent ended is not fetched again: 1.05 times the model's bytes in all."""
    job = make_job(tmp_path / "till", repository, 1, max_kbytes_per_s=2000)
    service = FolderService(repository.folder)
    model = repository.target_file(model_path(1)).stat().st_size

    def until_half(need: Need) -> Piece | None:
        if need.path.endswith("model.onnx") and need.offset > model // 2:
            raise ConnectionAbortedError
        return service(need)

    with pytest.raises(ConnectionAbortedError):
        run_process(job, until_half)
    parts = list(Path(job.staging_dir).rglob("model.onnx.part"))
    assert len(parts) == 1
    told = run_here(job, service)
    assert told.done.release == 1
    metadata = sum(file.stat().st_size for file in Path(job.metadata_dir).glob("*.json"))
    assert service.sent_bytes <= 1.05 * model + 2 * metadata


def test_a_torn_part_is_fetched_once_more(tmp_path: Path, repository: ReleaseRepository) -> None:
    """T13: bytes that a power cut zeroed do not keep a release away, and do not get in."""
    job = make_job(tmp_path / "till", repository, 1)
    folder = Path(job.staging_dir) / f"1-{repository.digest(1)[:16]}"
    folder.mkdir(parents=True)
    (folder / "model.onnx.part").write_bytes(bytes(300_000))
    told = run_here(job, FolderService(repository.folder))
    data = (Path(job.releases_dir) / str(told.done.directory) / "model.onnx").read_bytes()
    assert hashlib.sha256(data).hexdigest() == repository.digest(1)


def test_an_agent_that_goes_away_ends_the_updater(tmp_path: Path, repository: ReleaseRepository) -> None:
    """Nobody waits for an updater that nobody listens to: a closed pipe is its end."""
    job = make_job(tmp_path / "till", repository, 1)

    def gone(need: Need) -> Piece | None:
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        run_process(job, gone)
    told = run_process(job, FolderService(repository.folder))
    assert told.exit_status == 0


def test_without_a_job_it_ends() -> None:
    """Something else than a job at the beginning is no agent."""
    ended = subprocess.run(
        [sys.executable, "-m", "edge_agent.updater"], input=b"", capture_output=True, timeout=30, check=False
    )
    assert ended.returncode == EXIT_ALONE
    assert ended.stdout == b""


@pytest.mark.parametrize(
    ("number", "reason"), [(errno.ENOSPC, UpdateReason.NO_ROOM), (errno.EIO, UpdateReason.DISK)]
)
def test_a_disk_that_refuses(
    tmp_path: Path,
    repository: ReleaseRepository,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    reason: UpdateReason,
) -> None:
    """T13: a full disk and a broken one are told apart, and what was begun does not fill the disk further."""
    job = make_job(tmp_path / "till", repository, 1)
    append, left = FolderShelf.append, [5]

    def until_full(shelf: FolderShelf, file: str, piece: bytes) -> None:
        left[0] -= 1
        if not left[0]:
            raise OSError(number, os.strerror(number), file)
        append(shelf, file, piece)

    monkeypatch.setattr(FolderShelf, "append", until_full)
    told = run_here(job, FolderService(repository.folder))
    assert told.failed.reason is reason
    assert told.failed.passing
    assert told.failed.verified is not None
    assert complete(job) == []
    assert not list(Path(job.staging_dir).rglob("model.onnx*"))
    monkeypatch.undo()
    assert run_here(job, FolderService(repository.folder)).done.release == 1


def test_without_a_connection_it_says_so(tmp_path: Path, repository: ReleaseRepository) -> None:
    """A signed file that is not there, and no metadata at all, are trouble that may pass."""
    told = run_here(
        make_job(tmp_path / "till", repository, 1), lambda need: Piece(need.id, PieceStatus.MISSING)
    )
    assert told.failed.reason is UpdateReason.UNREACHABLE
    assert told.failed.passing
