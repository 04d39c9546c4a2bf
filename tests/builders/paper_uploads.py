"""Uploads, jobs and recommendations in memory, by the rules of the real rows; the clock is the caller's.

Fills `cloud.recommender.ports.Rows`; `tests/contract/test_recommender_rows.py` holds it to the real ones.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cloud.intake.values import ObjectPlace, Purpose, UploadProblem, UploadState
from cloud.jobs.turns import in_turn, share
from cloud.jobs.values import Lease, Queue
from cloud.recommender.outcome import is_kept
from cloud.recommender.values import Failed, Leased, Recommended, Ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud.recommender.values import Ending

USER = b"u" * 32


def some_ticket(tenant: str, request: bytes, picture: bytes, **changes: object) -> Ticket:
    """A ticket for this picture that was issued and not used."""
    import hashlib

    ticket = Ticket(
        tenant=tenant,
        request=request,
        user=USER,
        state=UploadState.ISSUED,
        purpose=Purpose.RECOMMEND,
        content_length=len(picture),
        sha256=hashlib.sha256(picture).digest(),
        object_key=ObjectPlace(tenant, request).key,
        context={},
        arrived_at_ms=0,
        consent=None,
        deleted=False,
        keep_days=30,
    )
    return replace(ticket, **changes)  # type: ignore[arg-type]


@dataclass
class Job:
    """A row of `jobs`."""

    tenant: str
    job: bytes
    enqueued_at_ms: int
    ready_at_ms: int
    attempts: int = 0
    token: bytes | None = None
    until_ms: int = 0
    dead: bool = False
    error: str = ""


@dataclass
class PaperRows:
    """All rows of all tenants."""

    now_ms: Callable[[], int]
    lease_ms: int = 15_000
    uploads: dict[tuple[str, bytes], Ticket] = field(default_factory=dict)
    jobs: dict[tuple[str, bytes], Job] = field(default_factory=dict)
    recommendations: dict[tuple[str, bytes], Recommended] = field(default_factory=dict)
    problems: dict[tuple[str, bytes], UploadProblem] = field(default_factory=dict)
    ends: defaultdict[tuple[str, bytes], list[UploadState]] = field(default_factory=lambda: defaultdict(list))
    _tokens: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _served: str = ""

    # ---- what intake does ----

    def arrive(self, tenant: str, request: bytes) -> bool:
        """Consume the ticket and add the job; False where it was consumed before."""
        ticket = self.uploads.get((tenant, request))
        if ticket is None or ticket.state is not UploadState.ISSUED:
            return False
        now = self.now_ms()
        self.uploads[tenant, request] = replace(ticket, state=UploadState.ARRIVED, arrived_at_ms=now)
        self.jobs.setdefault((tenant, request), Job(tenant, request, now, now))
        return True

    def end(self, key: tuple[str, bytes], state: UploadState, problem: UploadProblem | None = None) -> bool:
        """End an upload; False where it ended before."""
        ticket = self.uploads.get(key)
        if ticket is None or ticket.state not in {UploadState.ISSUED, UploadState.ARRIVED}:
            return False
        self.uploads[key] = replace(ticket, state=state)
        self.ends[key].append(state)
        if problem is not None:
            self.problems[key] = problem
        return True

    # ---- ports.Rows ----

    def lease(self, limit: int) -> list[Leased]:
        now, token = self.now_ms(), next(self._tokens).to_bytes(16)
        due = [job for job in self.jobs.values() if not job.dead and job.ready_at_ms <= now]

        def take(tenant: str, wanted: int) -> list[Lease]:
            mine = [job for job in due if job.tenant == tenant and job.ready_at_ms <= now]
            taken = []
            for job in sorted(mine, key=lambda job: (job.ready_at_ms, job.job))[:wanted]:
                job.token, job.attempts = token, job.attempts + 1
                job.ready_at_ms = job.until_ms = now + self.lease_ms
                taken.append(
                    Lease(
                        tenant,
                        Queue.RECOMMEND,
                        job.job,
                        token,
                        job.attempts,
                        job.enqueued_at_ms,
                        job.until_ms,
                    )
                )
            return taken

        tenants = sorted({job.tenant for job in due})
        leases, self._served = share(in_turn(tenants, self._served), limit, take)
        return [Leased(lease, self.uploads.get((lease.tenant, lease.job))) for lease in leases]

    def give_back(self, leases: Sequence[Lease]) -> None:
        for job in filter(None, map(self._held, leases)):
            job.token, job.ready_at_ms, job.attempts = None, self.now_ms(), job.attempts - 1

    def write(self, tenant: str, endings: Sequence[tuple[Lease, Ending]], now_ms: int) -> set[bytes]:
        written = set()
        for lease, ending in endings:
            job, key = self._held(lease), (tenant, lease.job)
            if job is None:
                continue
            if isinstance(ending, Recommended) and is_kept(ending.ticket):
                job.attempts = 1
                job.ready_at_ms = job.until_ms = self.now_ms() + self.lease_ms
            else:
                del self.jobs[key]
            if self.uploads.get(key) is None or self.uploads[key].state is not UploadState.ARRIVED:
                continue
            written.add(lease.job)
            if isinstance(ending, Failed):
                self.end(key, UploadState.FAILED, ending.problem)
            else:
                self.end(key, UploadState.DONE)
                self.recommendations[key] = ending
        return written

    def finish(self, leases: Sequence[Lease]) -> None:
        for lease in leases:
            if self._held(lease) is not None:
                del self.jobs[lease.tenant, lease.job]

    def retry(self, lease: Lease, error: str, after_ms: int, *, counts: bool) -> None:
        job = self._held(lease)
        if job is not None:
            job.token, job.ready_at_ms, job.error = None, self.now_ms() + after_ms, error
            job.attempts -= 0 if counts else 1

    def give_up(self, lease: Lease, error: str, now_ms: int) -> None:
        job, key = self._held(lease), (lease.tenant, lease.job)
        if job is not None:
            job.token, job.dead, job.error = None, True, error
            ticket = self.uploads.get(key)
            if ticket is not None and ticket.state is UploadState.ARRIVED:
                self.end(key, UploadState.FAILED, UploadProblem.REPEATEDLY_FAILED)

    def deleted(self, tenant: str, requests: Sequence[bytes], now_ms: int) -> None:
        for request in requests:
            if (tenant, request) in self.uploads:
                self.uploads[tenant, request] = replace(self.uploads[tenant, request], deleted=True)

    def _held(self, lease: Lease) -> Job | None:
        job = self.jobs.get((lease.tenant, lease.job))
        return job if job is not None and job.token == lease.token else None
