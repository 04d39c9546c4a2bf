"""What operators see of jobs and do with them: look, try again, drop. Deeds go to the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, select, update

from cloud.database.audit_log import write_audit
from cloud.database.engine import Database
from cloud.database.notifications import ANSWERS, JOBS, notify
from cloud.database.schema import jobs, uploads
from cloud.intake.values import UploadProblem, UploadState
from cloud.jobs.errors import NoSuchJob, NothingToRetry
from cloud.jobs.statements import DatabaseNow
from cloud.jobs.values import JobRow, JobState, Queue

_LISTED_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Operator:
    """Who does it, and when.

    Attributes:
        actor: For the audit log, such as `operator:ada`.
    """

    actor: str
    now_ms: int


def list_jobs(database: Database, tenant: str, *, dead_only: bool) -> list[JobRow]:
    """Jobs of a chain, the oldest first; a thousand at most.

    Raises:
        DatabaseAway: The database does not answer.
    """
    row = jobs.c
    statement = select(jobs).where(row.tenant == tenant).order_by(row.enqueued_at_ms, row.job)
    if dead_only:
        statement = statement.where(row.state == JobState.DEAD.value)
    with database.tenant(tenant, read_only=True) as connection:
        return [_job(found) for found in connection.execute(statement.limit(_LISTED_MAX))]


def show_job(database: Database, tenant: str, job: bytes) -> tuple[JobRow, Mapping[str, Any]]:
    """A job, and what is known of its upload: states and times, nothing of a person.

    Raises:
        NoSuchJob: There is none.
        DatabaseAway: The database does not answer.
    """
    with database.tenant(tenant, read_only=True) as connection:
        found = _job(_row(connection, tenant, job))
        upload = _upload(connection, tenant, job)
    if upload is None:
        return found, {}
    names = ("state", "purpose", "problem", "detail", "arrived_at_ms", "ended_at_ms", "deleted_at_ms")
    return found, {name: getattr(upload, name) for name in names}


def retry_job(database: Database, tenant: str, job: bytes, who: Operator) -> None:
    """Try a job again at once, with all its attempts; an upload that had ended for it is open again.

    Raises:
        NoSuchJob: There is none, or somebody works on it.
        NothingToRetry: The picture is gone: it may be kept for minutes only.
        DatabaseAway: Nothing changed.
    """
    with database.tenant(tenant) as connection:
        found = _row(connection, tenant, job)
        upload = _upload(connection, tenant, job)
        if upload is None or upload.deleted_at_ms is not None:
            raise NothingToRetry(
                f"the picture of {job.hex()} is gone",
                remedy="Pictures are deleted after intake.plaintext_s; the client uploads again. "
                f"`topscoop cloud jobs drop {job.hex()} --tenant {tenant}` clears the job away.",
            )
        _set_ready(connection, tenant, job)
        if upload.state == UploadState.FAILED and upload.problem == UploadProblem.REPEATEDLY_FAILED:
            opened = {
                "state": UploadState.ARRIVED.value,
                "problem": None,
                "detail": None,
                "ended_at_ms": None,
            }
            _write_upload(connection, tenant, job, opened)
        notify(connection, JOBS, found.queue)
        _audit(connection, who, "job.retried", found)


def drop_job(database: Database, tenant: str, job: bytes, who: Operator) -> None:
    """Clear a job away for good; an upload that still waited for it ends as `repeatedly-failed`.

    Raises:
        NoSuchJob: There is none, or somebody works on it.
        DatabaseAway: Nothing changed.
    """
    with database.tenant(tenant) as connection:
        found = _row(connection, tenant, job)
        row = jobs.c
        gone = connection.execute(
            delete(jobs).where(row.tenant == tenant, row.job == job, row.state != JobState.LEASED.value)
        )
        _must_be_one(gone.rowcount, job)
        upload = _upload(connection, tenant, job)
        if upload is not None and upload.state == UploadState.ARRIVED:
            ended = {
                "state": UploadState.FAILED.value,
                "problem": UploadProblem.REPEATEDLY_FAILED.value,
                "detail": "an operator ended it",
                "ended_at_ms": who.now_ms,
            }
            _write_upload(connection, tenant, job, ended)
            notify(connection, ANSWERS, f"{tenant}/{job.hex()}/{UploadState.FAILED.value}")
        _audit(connection, who, "job.dropped", found)


def _row(connection: Connection, tenant: str, job: bytes) -> Row[Any]:
    statement = select(jobs).where(jobs.c.tenant == tenant, jobs.c.job == job)
    found = connection.execute(statement).one_or_none()
    if found is None:
        raise _no_such(job)
    return found


def _set_ready(connection: Connection, tenant: str, job: bytes) -> None:
    row = jobs.c
    changed = connection.execute(
        update(jobs)
        .where(row.tenant == tenant, row.job == job, row.state != JobState.LEASED.value)
        .values(state=JobState.READY.value, attempts=0, ready_at_ms=DatabaseNow(), error=None)
    )
    _must_be_one(changed.rowcount, job)


def _must_be_one(count: int, job: bytes) -> None:
    if count != 1:
        raise NoSuchJob(f"somebody works on {job.hex()} now", remedy="Wait for its end; look again.")


def _no_such(job: bytes) -> NoSuchJob:
    return NoSuchJob(f"there is no job {job.hex()}", remedy="`topscoop cloud jobs list` shows all that wait.")


def _upload(connection: Connection, tenant: str, job: bytes) -> Row[Any] | None:
    statement = select(uploads).where(uploads.c.tenant == tenant, uploads.c.request == job)
    return connection.execute(statement).one_or_none()


def _write_upload(connection: Connection, tenant: str, job: bytes, values: Mapping[str, Any]) -> None:
    connection.execute(
        update(uploads).where(uploads.c.tenant == tenant, uploads.c.request == job).values(**values)
    )


def _audit(connection: Connection, who: Operator, action: str, found: Row[Any]) -> None:
    detail = {"queue": found.queue, "attempts": found.attempts, "error": found.error}
    write_audit(
        connection,
        found.tenant,
        who.now_ms,
        actor=who.actor,
        action=action,
        subject=bytes(found.job).hex(),
        detail=detail,
    )


def _job(row: Row[Any]) -> JobRow:
    return JobRow(
        row.tenant,
        Queue(row.queue),
        bytes(row.job),
        JobState(row.state),
        row.attempts,
        row.enqueued_at_ms,
        row.ready_at_ms,
        row.error,
    )
