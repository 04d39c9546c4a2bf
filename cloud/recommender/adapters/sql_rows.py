"""Jobs, uploads and recommendations in the database: few statements, whatever the batch's size."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from cloud.database.engine import Database
from cloud.database.notifications import ANSWERS, notify_all
from cloud.database.schema import api_limits, recommendations, uploads
from cloud.intake.values import Purpose, UploadProblem, UploadState
from cloud.jobs.queue import JobQueue, bury, finish_all, next_step
from cloud.jobs.values import Lease, Queue
from cloud.recommender.outcome import is_kept
from cloud.recommender.values import Ending, Failed, Leased, Recommended, Ticket

_DAY_MS: Final = 86_400_000
_DETAIL_CHARACTERS: Final = 300


class SqlRows:
    """As `ports.Rows`; threads may share one.

    Args:
        database: Of the cloud.
        lease_ms: How long a job is ours.
        keep_days: How long a recommendation is kept where a chain says nothing else.
    """

    def __init__(self, database: Database, *, lease_ms: int, keep_days: int) -> None:
        self._database = database
        self._queue = JobQueue(database)
        self._lease_ms = lease_ms
        self._keep_days = keep_days

    def lease(self, limit: int) -> list[Leased]:
        """As the port says."""
        tickets: dict[tuple[str, bytes], Ticket] = {}

        def read(connection: Connection, tenant: str, leases: list[Lease]) -> None:
            for ticket in self._tickets(connection, tenant, [lease.job for lease in leases]):
                tickets[tenant, ticket.request] = ticket

        leases = self._queue.lease(Queue.RECOMMEND, limit, self._lease_ms, also=read)
        return [Leased(lease, tickets.get((lease.tenant, lease.job))) for lease in leases]

    def give_back(self, leases: Sequence[Lease]) -> None:
        """As the port says."""
        self._queue.give_back(leases)

    def write(self, tenant: str, endings: Sequence[tuple[Lease, Ending]], now_ms: int) -> set[bytes]:
        """As the port says."""
        ending_of = {lease.job: ending for lease, ending in endings}
        kept = [lease for lease, ending in endings if _goes_on(ending)]
        over = [lease for lease, ending in endings if not _goes_on(ending)]
        with self._database.tenant(tenant) as connection:
            ours = next_step(connection, kept, self._lease_ms) | finish_all(connection, over)
            ended: set[bytes] = set()
            for values, requests in _by_values(ending_of, ours, now_ms):
                ended |= _end(connection, tenant, requests, values)
            made = [ending for request, ending in ending_of.items() if request in ended]
            rows = [_recommendation(one, now_ms) for one in made if isinstance(one, Recommended)]
            if rows:
                connection.execute(insert(recommendations), rows)
        return ended

    def finish(self, leases: Sequence[Lease]) -> None:
        """As the port says."""
        with self._database.tenant(leases[0].tenant) as connection:
            finish_all(connection, leases)

    def retry(self, lease: Lease, error: str, after_ms: int, *, counts: bool) -> None:
        """As the port says."""
        self._queue.fail(lease, error, after_ms, counts=counts)

    def give_up(self, lease: Lease, error: str, now_ms: int) -> None:
        """As the port says."""
        values = {
            "state": UploadState.FAILED.value,
            "ended_at_ms": now_ms,
            "problem": UploadProblem.REPEATEDLY_FAILED.value,
            "detail": "several attempts failed; the operators see why",
        }
        with self._database.tenant(lease.tenant) as connection:
            if bury(connection, lease, error):
                _end(connection, lease.tenant, [lease.job], values)

    def deleted(self, tenant: str, requests: Sequence[bytes], now_ms: int) -> None:
        """As the port says."""
        row = uploads.c
        with self._database.tenant(tenant) as connection:
            connection.execute(
                update(uploads)
                .where(row.tenant == tenant, row.request.in_(list(requests)), row.deleted_at_ms.is_(None))
                .values(deleted_at_ms=now_ms)
            )

    def _tickets(self, connection: Connection, tenant: str, requests: Sequence[bytes]) -> list[Ticket]:
        row = uploads.c
        days = select(api_limits.c.recommendation_days).where(api_limits.c.tenant == tenant).scalar_subquery()
        statement = select(uploads, func.coalesce(days, self._keep_days).label("keep_days")).where(
            row.tenant == tenant, row.request.in_(requests)
        )
        return [_ticket(found) for found in connection.execute(statement)]


def _ticket(row: Row[Any]) -> Ticket:
    return Ticket(
        tenant=row.tenant,
        request=bytes(row.request),
        user=bytes(row.user),
        state=UploadState(row.state),
        purpose=Purpose(row.purpose),
        content_length=row.content_length,
        sha256=bytes(row.sha256),
        object_key=row.object_key,
        context=row.context,
        arrived_at_ms=row.issued_at_ms if row.arrived_at_ms is None else row.arrived_at_ms,
        consent=row.consent,
        deleted=row.deleted_at_ms is not None,
        keep_days=row.keep_days,
    )


def _goes_on(ending: Ending) -> bool:
    """Whether there is a second step: the picture is to be kept."""
    return isinstance(ending, Recommended) and is_kept(ending.ticket)


def _by_values(
    ending_of: Mapping[bytes, Ending], ours: set[bytes], now_ms: int
) -> list[tuple[dict[str, Any], list[bytes]]]:
    """What is written to `uploads`, with all the requests that get the same."""

    def key(request: bytes) -> tuple[str, str]:
        ending = ending_of[request]
        return (ending.problem.value, ending.detail) if isinstance(ending, Failed) else ("", "")

    written = []
    for (problem, detail), requests in groupby(sorted(ours, key=key), key=key):
        state = UploadState.FAILED if problem else UploadState.DONE
        values = {
            "state": state.value,
            "ended_at_ms": now_ms,
            "problem": problem or None,
            "detail": detail[:_DETAIL_CHARACTERS] or None,
        }
        written.append((values, list(requests)))
    return written


def _end(
    connection: Connection, tenant: str, requests: Sequence[bytes], values: Mapping[str, Any]
) -> set[bytes]:
    """End those that have not ended, wake who waits for them, and say which: an end never changes."""
    row = uploads.c
    statement = (
        update(uploads)
        .where(
            row.tenant == tenant,
            row.request.in_(list(requests)),
            row.state == UploadState.ARRIVED.value,
        )
        .values(**values)
        .returning(row.request)
    )
    ended = {bytes(found) for found in connection.execute(statement).scalars()}
    notify_all(
        connection, ANSWERS, [f"{tenant}/{request.hex()}/{values['state']}" for request in sorted(ended)]
    )
    return ended


def _recommendation(one: Recommended, now_ms: int) -> dict[str, Any]:
    ticket, champion = one.ticket, one.champion
    return {
        "tenant": ticket.tenant,
        "request": ticket.request,
        "user": ticket.user,
        "created_at_ms": now_ms,
        "expires_at_ms": now_ms + ticket.keep_days * _DAY_MS,
        "source": one.source,
        "slate": [
            {"flavour": shown.flavour, "name": shown.name, "probability": shown.probability}
            for shown in one.slate
        ],
        "release": champion.release,
        "model_digest": champion.digest,
        "model_version": champion.version,
        "picture_sha256": ticket.sha256,
        "nobody": one.nobody,
        "inference_ms": one.inference_ms,
        "latency_ms": max(0, now_ms - ticket.arrived_at_ms),
    }
