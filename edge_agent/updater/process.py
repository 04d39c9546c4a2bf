"""Puts an errand together and carries it out; the process behind `python -m edge_agent.updater`."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge_agent.updater.adapters.pipe import AgentGone, AgentPipe, PipeSource, now_ms
from edge_agent.updater.adapters.tuf_library import import_tuf
from edge_agent.updater.flow import Errand
from edge_agent.updater.ports import Source
from edge_agent.updater.refusal import Refusal
from edge_agent.updater.steps import Reach, nothing
from edge_agent.updater.transfer import Budget
from edge_agent.updates.errand import Done, Failed, Job, Progress
from wire_protocol.fleet_messages import UpdateState

EXIT_DONE, EXIT_FAILED, EXIT_ALONE = 0, 1, 3
BURST_BYTES: Final = 262_144
"""What may be asked for at once before the pace counts: metadata, and the beginning of a model."""
TELL_EVERY_MS: Final = 500


def main(reach: Reach = nothing) -> int:
    """One errand.

    Args:
        reach: Hears which step comes next; tests end the process there.
    """
    pipe = _pipe()
    try:
        said = answer(pipe, pipe.job(), reach)
        pipe.say(said)
    except AgentGone:
        return EXIT_ALONE
    return EXIT_DONE if isinstance(said, Done) else EXIT_FAILED


def answer(pipe: AgentPipe, job: Job, reach: Reach = nothing) -> Done | Failed:
    """Carry the job out, and say what came of it.

    Raises:
        AgentGone: The agent closed the pipe.
    """
    import_tuf()
    from edge_agent.updater.adapters.tuf_trust import disk_refusal

    with _errand(pipe, job, reach) as errand:
        try:
            return errand.carry_out()
        except Refusal as refusal:
            return refusal.failed(errand.verified)
        except OSError as error:
            # What was begun would only fill the disk further.
            with contextlib.suppress(OSError):
                errand.shelf.tidy()
            return disk_refusal(error).failed(errand.verified)


@contextlib.contextmanager
def _errand(pipe: AgentPipe, job: Job, reach: Reach) -> Iterator[Errand]:
    from edge_agent.updater.adapters.preflight_process import ProcessPreflight
    from edge_agent.updater.adapters.shelf_folder import FolderShelf
    from edge_agent.updater.adapters.tuf_trust import TufTrust

    source = _source(pipe, job)
    trust = TufTrust(job, source, lambda: int(time.time() * 1000), pipe.cloud_ms)
    shelf = FolderShelf(Path(job.staging_dir), Path(job.releases_dir))
    preflight = ProcessPreflight(job.preflight)
    with contextlib.closing(shelf), contextlib.closing(preflight):
        yield Errand(job, trust, source, shelf, preflight, _Teller(pipe), reach)


def _source(pipe: AgentPipe, job: Job) -> Source:
    budget = Budget(job.max_kbytes_per_s * 1000, BURST_BYTES)
    if job.source == "mqtt":
        return PipeSource(pipe, budget)
    from edge_agent.updater.adapters.http_source import HttpSource

    return HttpSource(job.source, budget)


class _Teller:
    """Tells the agent how far it is, not too often."""

    def __init__(self, pipe: AgentPipe) -> None:
        self._pipe = pipe
        self._state: UpdateState | None = None
        self._at_ms = 0

    def __call__(self, progress: Progress) -> None:
        if progress.state is not self._state or now_ms() - self._at_ms >= TELL_EVERY_MS:
            self._state, self._at_ms = progress.state, now_ms()
            self._pipe.say(progress)


def _pipe() -> AgentPipe:
    """Our end; what libraries print goes to standard error, and not among our words."""
    sink = os.dup(1)
    os.dup2(2, 1)
    return AgentPipe(0, sink)
