"""Defects that the simulation of uploads must find."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cloud.intake.values import UploadState
from cloud.recommender.recommender import Recommender
from cloud.recommender.values import Failed
from tests.builders.paper_uploads import PaperRows
from tests.simulation.uploads.world import Mutant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud.jobs.values import Lease
    from cloud.recommender.values import Ending, Leased


class Unfenced(PaperRows):
    """Whoever once held a lease writes a result."""

    def write(self, tenant: str, endings: Sequence[tuple[Lease, Ending]], now_ms: int) -> set[bytes]:
        for lease, ending in endings:
            key = (tenant, lease.job)
            state = UploadState.FAILED if isinstance(ending, Failed) else UploadState.DONE
            self.jobs.pop(key, None)
            self.uploads[key] = replace(self.uploads[key], state=state)
            self.ends[key].append(state)
            if isinstance(ending, Failed):
                self.problems[key] = ending.problem
            else:
                self.recommendations[key] = ending
        return {lease.job for lease, _ in endings}


class AtMostOnce(PaperRows):
    """A job ends when it is taken, not with its result."""

    def lease(self, limit: int) -> list[Leased]:
        leased = super().lease(limit)
        for one in leased:
            del self.jobs[one.tenant, one.lease.job]
        return leased

    def write(self, tenant: str, endings: Sequence[tuple[Lease, Ending]], now_ms: int) -> set[bytes]:
        for lease, ending in endings:
            key = (tenant, lease.job)
            if isinstance(ending, Failed):
                self.end(key, UploadState.FAILED, ending.problem)
            elif self.end(key, UploadState.DONE):
                self.recommendations[key] = ending
        return {lease.job for lease, _ in endings}


class AllTogether(Recommender):
    """What killed a worker is looked at among others again."""

    def serve(self, stopping: Callable[[], bool] = lambda: False) -> int:
        leased = self._world.rows.lease(self._terms.batch_max)
        self._serve(leased, stopping)
        return len(leased)


MUTANTS = (
    Mutant("results are not fenced", rows=Unfenced),
    Mutant("jobs end when they are taken", rows=AtMostOnce),
    Mutant("a picture is deleted as it is read", reads_destructively=True),
    Mutant("what killed a worker is tried among others", recommender=AllTogether),
)
