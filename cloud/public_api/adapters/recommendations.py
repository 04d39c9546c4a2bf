"""Statements of recommendations, for their owner: each names tenant and user."""

from typing import Any

from sqlalchemy import Connection, and_, select, tuple_, update

from cloud.database.schema import recommendations, uploads
from cloud.intake.values import UploadState
from cloud.public_api.answer_documents import Recommendation, Seen
from cloud.public_api.caller import Caller
from cloud.public_api.cursors import Cursor

_upload, _row = uploads.c, recommendations.c
_SHOWN = (
    _row.request,
    _row.created_at_ms,
    _row.expires_at_ms,
    _row.source,
    _row.slate,
    _row.release,
    _row.model_digest,
    _row.model_version,
    _row.picture_version,
    _row.picture_sha256,
    _row.nobody,
    _row.inference_ms,
    _row.latency_ms,
    _row.outcome,
    _row.outcome_at_ms,
)
_SEEN = select(
    _upload.request.label("upload"),
    _upload.state,
    _upload.issued_at_ms,
    _upload.expires_at_ms.label("url_until_ms"),
    _upload.arrived_at_ms,
    _upload.problem,
    _upload.detail,
    *_SHOWN,
).select_from(
    uploads.outerjoin(
        recommendations,
        and_(_row.tenant == _upload.tenant, _row.request == _upload.request, _row.user == _upload.user),
    )
)


def find(connection: Connection, caller: Caller, request: bytes) -> Seen | None:
    """An upload of the caller's and what came of it; None for any other, there or not."""
    statement = _SEEN.where(
        _upload.tenant == caller.tenant, _upload.user == caller.user, _upload.request == request
    )
    found = connection.execute(statement).one_or_none()
    if found is None:
        return None
    return Seen(
        bytes(found.upload),
        UploadState(found.state),
        found.issued_at_ms,
        found.url_until_ms,
        found.arrived_at_ms,
        found.problem,
        found.detail,
        None if found.created_at_ms is None else _recommendation(found),
    )


def page(
    connection: Connection, caller: Caller, now_ms: int, after: Cursor | None, limit: int
) -> list[Recommendation]:
    """The caller's own that are not over, newest first, those after a cursor alone; `limit` at most."""
    statement = (
        select(*_SHOWN)
        .where(_row.tenant == caller.tenant, _row.user == caller.user, _row.expires_at_ms > now_ms)
        .order_by(_row.created_at_ms.desc(), _row.request.desc())
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(
            tuple_(_row.created_at_ms, _row.request) < tuple_(after.created_at_ms, after.request)
        )
    return [_recommendation(found) for found in connection.execute(statement)]


def record_outcome(
    connection: Connection, caller: Caller, request: bytes, outcome: dict[str, Any], now_ms: int
) -> bool:
    """Note what was bought; False where an outcome was noted before, and stays."""
    statement = (
        update(recommendations)
        .where(
            _row.tenant == caller.tenant,
            _row.user == caller.user,
            _row.request == request,
            _row.outcome_at_ms.is_(None),
        )
        .values(outcome=outcome, outcome_at_ms=now_ms)
        .returning(_row.request)
    )
    return connection.execute(statement).one_or_none() is not None


def _recommendation(found: Any) -> Recommendation:
    return Recommendation(
        bytes(found.request),
        found.created_at_ms,
        found.expires_at_ms,
        found.source,
        found.slate,
        found.release,
        found.model_digest,
        found.model_version,
        found.picture_version,
        bytes(found.picture_sha256),
        found.nobody,
        found.inference_ms,
        found.latency_ms,
        found.outcome,
        found.outcome_at_ms,
    )
