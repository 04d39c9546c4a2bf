"""What is over is forgotten: recommendations, tickets and jobs of uploads that ended, grants and sessions."""

from typing import Final

from sqlalchemy import ColumnElement, Connection, CursorResult, and_, delete, exists, or_, select

from cloud.database.schema import (
    api_sessions,
    consents,
    device_grants,
    jobs,
    recommendations,
    uploads,
    withdrawals,
)
from cloud.intake.values import UploadState
from cloud.jobs.values import JobState
from cloud.public_api.answers import ENDS

UPLOAD_KEPT_MS: Final = 24 * 3600 * 1000
"""So long a client learns why there was no recommendation, and its Idempotency-Key is known."""
DEAD_JOB_KEPT_MS: Final = 7 * 24 * 3600 * 1000
"""So long operators see what could not be done; its picture went after minutes."""
GRANT_KEPT_MS: Final = 10 * 60 * 1000
"""So long a device that still asks learns that its code is over."""

_upload = uploads.c


def forget_expired(connection: Connection, tenant: str, now_ms: int, limit: int) -> int:
    """Delete what is over at `now_ms`, the oldest first; call it again while it deletes anything.

    A ticket whose picture is kept under a consent stays as long as the consent: it is how its owner finds it.

    Args:
        connection: Of the tenant.
        tenant: Whose rows.
        now_ms: The time.
        limit: How many rows of a kind are looked at: a call is short.

    Returns:
        How many rows were deleted.
    """
    return (
        _forget_dead_jobs(connection, tenant, now_ms, limit)
        + _forget_recommendations(connection, tenant, now_ms, limit)
        + sum(_forget_uploads(connection, tenant, state, now_ms, limit) for state in sorted(ENDS))
        + _forget_grants(connection, tenant, now_ms, limit)
        + _forget_sessions(connection, tenant, now_ms, limit)
    )


def _forget_dead_jobs(connection: Connection, tenant: str, now_ms: int, limit: int) -> int:
    row = jobs.c
    over = (
        select(row.job)
        .where(
            row.tenant == tenant,
            row.state == JobState.DEAD.value,
            row.enqueued_at_ms <= now_ms - DEAD_JOB_KEPT_MS,
        )
        .limit(limit)
    )
    gone = delete(jobs).where(row.tenant == tenant, row.state == JobState.DEAD.value, row.job.in_(over))
    return _deleted(connection.execute(gone))


def _forget_recommendations(connection: Connection, tenant: str, now_ms: int, limit: int) -> int:
    row = recommendations.c
    oldest = (
        select(row.request)
        .where(row.tenant == tenant, row.expires_at_ms <= now_ms)
        .order_by(row.expires_at_ms)
        .limit(limit)
    )
    gone = delete(recommendations).where(row.tenant == tenant, row.request.in_(oldest)).returning(row.request)
    requests = connection.execute(gone).scalars().all()
    if requests:
        tickets = and_(_upload.tenant == tenant, _upload.request.in_(requests))
        connection.execute(delete(uploads).where(tickets, _upload.blank.is_(None), _no_job()))
    return len(requests)


def _forget_uploads(connection: Connection, tenant: str, state: UploadState, now_ms: int, limit: int) -> int:
    oldest = (
        select(_upload.request)
        .where(
            _upload.tenant == tenant, _upload.state == state, _upload.expires_at_ms <= now_ms - UPLOAD_KEPT_MS
        )
        .order_by(_upload.expires_at_ms)
        .limit(limit)
    )
    answered = exists().where(
        recommendations.c.tenant == _upload.tenant, recommendations.c.request == _upload.request
    )
    return _deleted(
        connection.execute(
            delete(uploads).where(
                _upload.tenant == tenant,
                _upload.request.in_(oldest),
                ~answered,
                _no_job(),
                or_(_upload.blank.is_(None), _consent_over(now_ms)),
            )
        )
    )


def _no_job() -> ColumnElement[bool]:
    """A job that was set aside says why for a while: its ticket stays as long."""
    return ~exists().where(jobs.c.tenant == _upload.tenant, jobs.c.job == _upload.request)


def _consent_over(now_ms: int) -> ColumnElement[bool]:
    ended = exists().where(
        consents.c.tenant == _upload.tenant,
        consents.c.consent == _upload.blank,
        consents.c.expires_at_ms <= now_ms,
    )
    withdrawn = exists().where(
        withdrawals.c.tenant == _upload.tenant,
        withdrawals.c.consent == _upload.blank,
        withdrawals.c.versions_deleted_at_ms.is_not(None),
    )
    return or_(ended, withdrawn)


def _forget_grants(connection: Connection, tenant: str, now_ms: int, limit: int) -> int:
    row = device_grants.c
    over = (
        select(row.device_code)
        .where(row.tenant == tenant, row.expires_at_ms <= now_ms - GRANT_KEPT_MS)
        .limit(limit)
    )
    gone = delete(device_grants).where(row.tenant == tenant, row.device_code.in_(over))
    return _deleted(connection.execute(gone))


def _forget_sessions(connection: Connection, tenant: str, now_ms: int, limit: int) -> int:
    row = api_sessions.c
    over = select(row.session).where(row.tenant == tenant, row.ends_at_ms <= now_ms).limit(limit)
    gone = delete(api_sessions).where(row.tenant == tenant, row.session.in_(over))
    return _deleted(connection.execute(gone))


def _deleted(result: CursorResult[object]) -> int:
    return int(result.rowcount)
