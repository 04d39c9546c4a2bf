"""The agent's side of an errand: jobs, a file service over a folder, and the updater in thread or process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_agent.updater.adapters.pipe import AgentPipe
from edge_agent.updater.process import answer
from edge_agent.updater.steps import Reach, nothing
from edge_agent.updater.transfer import FileMissing
from edge_agent.updates.errand import (
    UPDATER_SAYS,
    Done,
    Failed,
    Job,
    Need,
    Piece,
    PieceStatus,
    Progress,
    Reader,
    frame,
)
from tests.builders.release_repository import ReleaseRepository

Answer = Callable[[Need], Piece | None]


@dataclass
class FolderService:
    """Answers needs from the folder of a repository, honestly."""

    folder: Path
    signed_ms: int | None = None
    asked: list[Need] = field(default_factory=list)
    sent_bytes: int = 0

    def __call__(self, need: Need) -> Piece | None:
        self.asked.append(need)
        try:
            content = (self.folder / need.path).read_bytes()
        except FileNotFoundError:
            return Piece(need.id, PieceStatus.MISSING, signed_ms=self.signed_ms)
        if need.offset > len(content):
            return Piece(need.id, PieceStatus.BEYOND, total=len(content))
        data = content[need.offset : need.offset + need.length]
        self.sent_bytes += len(data)
        return Piece(need.id, PieceStatus.OK, need.offset, len(content), None, self.signed_ms, data)


@dataclass
class FolderSource:
    """A `Source` over a folder."""

    folder: Path

    def fetch(self, path: str, *, offset: int, total: int | None, longest: int) -> Iterator[bytes]:
        """As `Source.fetch`."""
        file = self.folder / path
        if not file.exists():
            raise FileMissing(f"there is no {path}")
        content = file.read_bytes()
        assert len(content) <= longest
        assert total in {None, len(content)}
        yield content[offset:]


@dataclass
class Told:
    """What the updater said."""

    end: Done | Failed | None = None
    progress: list[Progress] = field(default_factory=list)
    exit_status: int | None = None

    @property
    def done(self) -> Done:
        """It came to a good end."""
        assert isinstance(self.end, Done), self.end
        return self.end

    @property
    def failed(self) -> Failed:
        """It came to nothing."""
        assert isinstance(self.end, Failed), self.end
        return self.end


def make_job(folder: Path, repository: ReleaseRepository, release: int | None = None, **changed: Any) -> Job:
    """A register's job; its folders lie below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    root = folder / "release-root.json"
    root.write_bytes(repository.first_root)
    values: dict[str, Any] = {
        "transaction": b"t" * 16,
        "tenant": repository.chain,
        "agent_version": "9.9.9",
        "root_file": str(root),
        "metadata_dir": str(folder / "metadata"),
        "staging_dir": str(folder / "staging"),
        "releases_dir": str(folder / "releases"),
        "max_kbytes_per_s": 1_000_000,
        "release": release,
        "digest": None if release is None else repository.digest(release),
    }
    return Job(**{**values, **changed})


def run_here(job: Job, service: Answer, reach: Reach = nothing) -> Told:
    """The errand in this process; the agent is a thread."""
    told = Told()
    down, up = os.pipe(), os.pipe()
    agent = threading.Thread(target=_serve, args=(up[0], down[1], service, told), daemon=True)
    agent.start()
    try:
        told.end = answer(AgentPipe(down[0], up[1]), job, reach)
    finally:
        for descriptor in (up[1], down[0]):  # the agent may be writing what nobody reads any more
            os.close(descriptor)
        agent.join()
        for descriptor in (up[0], down[1]):
            os.close(descriptor)
    return told


def run_process(
    job: Job, service: Answer, *, command: Sequence[str] = ("-m", "edge_agent.updater"), limit_s: float = 60
) -> Told:
    """The errand in a process of its own, as the agent starts it."""
    told = Told()
    with subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        with suppress(BrokenPipeError):
            process.stdin.write(frame(job))
            process.stdin.flush()
        timer = threading.Timer(limit_s, process.kill)
        timer.start()
        try:
            _serve(process.stdout.fileno(), process.stdin.fileno(), service, told)
            told.exit_status = process.wait(limit_s)
            errors = process.stderr.read().decode()
        finally:
            timer.cancel()
            process.kill()
            with suppress(BrokenPipeError):
                process.stdin.close()
    assert "Traceback" not in errors, errors
    return told


def _serve(source: int, sink: int, service: Answer, told: Told) -> None:
    reader = Reader(UPDATER_SAYS)
    while data := os.read(source, 1 << 16):
        for value in reader.feed(data):
            match value:
                case Need():
                    piece = service(value)
                    if piece is not None:
                        with suppress(BrokenPipeError):
                            os.write(sink, frame(piece))
                case Progress():
                    told.progress.append(value)
                case Done() | Failed():
                    told.end = value
