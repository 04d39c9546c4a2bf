"""Rows of uploads and what came of them, as intake and recommender leave them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, update

from cloud.database.notifications import ANSWERS, notify
from cloud.database.schema import recommendations, releases, repositories, uploads
from cloud.intake.values import ObjectPlace, UploadState
from cloud.public_api.answer_documents import Recommendation, Seen
from tests.builders.cloud_database import NOW_MS
from tests.builders.public_api import TENANT, user_of
from wire_protocol.identifiers import uuid7

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud.database.engine import Database

DAY_MS = 24 * 3600 * 1000
SLATE = [
    {"flavour": "pistachio", "name": "Pistachio", "probability": 0.41},
    {"flavour": "lemon", "name": "Lemon", "probability": 0.22},
    {"flavour": "hazelnut", "name": "Hazelnut", "probability": 0.17},
]


def request_of(number: int, at_ms: int = NOW_MS) -> bytes:
    """The id of an upload of a test."""
    return uuid7(at_ms, number.to_bytes(10)).bytes


def add_upload(
    database: Database, number: int, user: str = "anna", *, tenant: str = TENANT, **values: Any
) -> bytes:
    """An issued upload; keywords are columns. Returns its request id."""
    at_ms = values.get("issued_at_ms", NOW_MS)
    request = request_of(number, at_ms)
    row = {
        "tenant": tenant,
        "request": request,
        "user": user_of(user),
        "state": UploadState.ISSUED.value,
        "purpose": "recommend",
        "content_type": "image/jpeg",
        "content_length": 1000,
        "sha256": bytes(32),
        "object_key": ObjectPlace(tenant, request).key,
        "context": {},
        "issued_at_ms": at_ms,
        "expires_at_ms": at_ms + 60_000,
    }
    with database.tenant(tenant) as connection:
        connection.execute(insert(uploads).values(row | values))
    return request


def change_upload(database: Database, request: bytes, *, tenant: str = TENANT, **values: Any) -> None:
    """Columns of an upload, without waking anybody."""
    row = uploads.c
    with database.tenant(tenant) as connection:
        connection.execute(
            update(uploads).where(row.tenant == tenant, row.request == request).values(**values)
        )


def remove_upload(database: Database, request: bytes, *, tenant: str = TENANT) -> None:
    """The ticket, without waking anybody."""
    row = uploads.c
    with database.tenant(tenant) as connection:
        connection.execute(delete(uploads).where(row.tenant == tenant, row.request == request))


def recommendation_row(request: bytes, user: str = "anna", *, tenant: str = TENANT) -> dict[str, Any]:
    """A row of `recommendations`, three days young when it ends."""
    return {
        "tenant": tenant,
        "request": request,
        "user": user_of(user),
        "created_at_ms": NOW_MS + 80,
        "expires_at_ms": NOW_MS + 3 * DAY_MS,
        "source": "model",
        "slate": SLATE,
        "release": 3,
        "model_digest": "ab" * 32,
        "model_version": "2026.11.1",
        "picture_version": None,
        "picture_sha256": bytes(range(32)),
        "nobody": 0.01,
        "inference_ms": 0.4,
        "latency_ms": 31.5,
    }


def recommend(
    database: Database,
    request: bytes,
    user: str = "anna",
    *,
    tenant: str = TENANT,
    told: bool = True,
    **values: Any,
) -> None:
    """What the recommender's result transaction does; keywords are columns of `recommendations`.

    Where it is not `told`, the notification is lost.
    """
    row = uploads.c
    with database.tenant(tenant) as connection:
        connection.execute(
            update(uploads)
            .where(row.tenant == tenant, row.request == request)
            .values(state=UploadState.DONE.value, arrived_at_ms=NOW_MS + 50, ended_at_ms=NOW_MS + 80)
        )
        made = recommendation_row(request, user, tenant=tenant) | values
        connection.execute(insert(recommendations).values(made))
        if told:
            notify(connection, ANSWERS, f"{tenant}/{request.hex()}")


def add_recommended(
    database: Database, number: int, user: str = "anna", *, tenant: str = TENANT, **values: Any
) -> bytes:
    """An upload with its recommendation; keywords are columns of `recommendations`."""
    request = add_upload(database, number, user, tenant=tenant)
    recommend(database, request, user, tenant=tenant, **values)
    return request


def seen(state: UploadState = UploadState.DONE, **values: Any) -> Seen:
    """An upload as its owner sees it; keywords are its attributes."""
    row = recommendation_row(request_of(1)) | {"outcome": None, "outcome_at_ms": None}
    own = {name: value for name, value in row.items() if name not in {"tenant", "user"}}
    attributes: dict[str, Any] = {
        "request": request_of(1),
        "state": state,
        "issued_at_ms": NOW_MS,
        "expires_at_ms": NOW_MS + 60_000,
        "arrived_at_ms": None if state in {UploadState.ISSUED, UploadState.EXPIRED} else NOW_MS + 50,
        "problem": None,
        "detail": None,
        "recommendation": Recommendation(**own) if state is UploadState.DONE else None,
    }
    return Seen(**(attributes | values))


def add_release(
    database: Database,
    number: int,
    *flavours: str,
    champion: bool = False,
    minimum: int | None = None,
    german: Mapping[str, str] | None = None,
    withdrawn_at_ms: int | None = None,
) -> None:
    """A listed release with these flavours; `champion` points the chain's alias to it."""
    named = [
        {"id": one, "names": {"en": one.title()} | _german(german, one), "colour": "#aabbcc"}
        for one in flavours
    ]
    with database.tenant(TENANT) as connection:
        connection.execute(
            insert(releases).values(
                tenant=TENANT,
                release=number,
                name="test",
                version=f"2026.11.{number}",
                digest=f"{number:064x}",
                target=f"models/{number}",
                bytes=1,
                budget_p99_ms=1.0,
                minimum_agent="0.1.0",
                manifest={"flavours": named},
                report={},
                listed_at_ms=NOW_MS,
                withdrawn_at_ms=withdrawn_at_ms,
            )
        )
        if champion or minimum is not None:
            connection.execute(delete(repositories).where(repositories.c.tenant == TENANT))
            connection.execute(
                insert(repositories).values(
                    tenant=TENANT,
                    root=b"",
                    trusted_at_ms=NOW_MS,
                    champion=number if champion else None,
                    minimum_release=minimum,
                )
            )


def _german(names: Mapping[str, str] | None, flavour: str) -> dict[str, str]:
    return {"de": names[flavour]} if names else {}
