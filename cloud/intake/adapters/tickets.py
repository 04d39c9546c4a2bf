"""Statements over the tickets of signed URLs, within a tenant's transaction; each names the tenant itself.

Every change of a state wakes those who wait for the upload.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, delete, select, update

from cloud.database.notifications import ANSWERS, notify
from cloud.database.schema import jobs, uploads
from cloud.intake.values import ObjectPlace, Terms, Ticket, UploadProblem, UploadState

_row = uploads.c


def consume(connection: Connection, place: ObjectPlace, now_ms: int) -> Terms | None:
    """Take the ticket; None where somebody took it before, it ended, or there never was one.

    One statement: of many who try at once, one gets the terms.
    """
    statement = (
        update(uploads)
        .where(*_is(place), _row.state == UploadState.ISSUED.value)
        .values(state=UploadState.ARRIVED.value, arrived_at_ms=now_ms)
        .returning(_row.content_length, _row.content_type, _row.expires_at_ms)
    )
    found = connection.execute(statement).first()
    if found is None:
        return None
    _tell(connection, place, UploadState.ARRIVED)
    return Terms(*found)


def end(
    connection: Connection,
    place: ObjectPlace,
    state: UploadState,
    problem: UploadProblem | None,
    now_ms: int,
) -> bool:
    """End an upload that was issued or has arrived; False where it ended before."""
    statement = (
        update(uploads)
        .where(*_is(place), _row.state.in_((UploadState.ISSUED.value, UploadState.ARRIVED.value)))
        .values(state=state.value, problem=problem.value if problem else None, ended_at_ms=now_ms)
        .returning(_row.request)
    )
    if connection.execute(statement).first() is None:
        return False
    _tell(connection, place, state)
    return True


def expire(connection: Connection, tenant: str, before_ms: int, now_ms: int, most: int) -> list[bytes]:
    """End up to `most` tickets that nobody used and whose URL was over at `before_ms`; returns which."""
    due = (
        select(_row.request)
        .where(
            _row.tenant == tenant,
            _row.state == UploadState.ISSUED.value,
            _row.expires_at_ms <= before_ms,
        )
        .order_by(_row.expires_at_ms)
        .limit(most)
    )
    statement = (
        update(uploads)
        .where(
            _row.tenant == tenant,
            _row.request.in_(due.scalar_subquery()),
            _row.state == UploadState.ISSUED.value,
        )
        .values(state=UploadState.EXPIRED.value, ended_at_ms=now_ms)
        .returning(_row.request)
    )
    expired = [bytes(request) for request in connection.execute(statement).scalars()]
    for request in expired:
        _tell(connection, ObjectPlace(tenant, request), UploadState.EXPIRED)
    return expired


def read(connection: Connection, tenant: str, requests: Collection[bytes]) -> Mapping[bytes, Ticket]:
    """The tickets of these requests, by request; what is not there is left out."""
    statement = select(_row.request, _row.state, _row.deleted_at_ms).where(
        _row.tenant == tenant, _row.request.in_(list(requests))
    )
    return {
        bytes(request): Ticket(UploadState(state), deleted=deleted_at_ms is not None)
        for request, state, deleted_at_ms in connection.execute(statement)
    }


def drop_job(connection: Connection, place: ObjectPlace) -> None:
    """Take an upload's job away, whoever works at it: its lease ends nothing any more."""
    connection.execute(delete(jobs).where(jobs.c.tenant == place.tenant, jobs.c.job == place.request))


def note_deleted(connection: Connection, place: ObjectPlace, now_ms: int) -> None:
    """Remember that the object is gone from the bucket; the first time counts."""
    connection.execute(
        update(uploads).where(*_is(place), _row.deleted_at_ms.is_(None)).values(deleted_at_ms=now_ms)
    )


def _is(place: ObjectPlace) -> tuple[Any, ...]:
    return _row.tenant == place.tenant, _row.request == place.request


def _tell(connection: Connection, place: ObjectPlace, state: UploadState) -> None:
    notify(connection, ANSWERS, f"{place.tenant}/{place.request.hex()}/{state.value}")
