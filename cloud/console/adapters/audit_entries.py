"""The audit log, page by page: newest first, by key, so that page a thousand costs what the first does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, select

from cloud.database.schema import audit

PAGE: Final = 50
EXPORT_MAX: Final = 50_000
"""Entries of one CSV; more are fetched by narrower filters."""
_ROW = audit.c


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What is looked for; empty is everything.

    Attributes:
        actor: Begins with this: `operator:`, `operator:Ada`, `keeper`.
        action: Begins with this: `rollout.`, `operator.logged_in`.
        subject: Is exactly this.
        from_ms, until_ms: From the first up to, and without, the second.
    """

    actor: str = ""
    action: str = ""
    subject: str = ""
    from_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what on what, and when."""

    entry: bytes
    at_ms: int
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


def read_page(
    connection: Connection,
    tenant: str,
    wanted: AuditFilter,
    *,
    before: bytes | None = None,
    limit: int = PAGE,
) -> tuple[list[AuditEntry], bool]:
    """Entries before `before`, newest first, and whether there are further ones."""
    statement = _filtered(tenant, wanted).order_by(_ROW.entry.desc()).limit(limit + 1)
    if before is not None:
        statement = statement.where(_ROW.entry < before)
    found = [AuditEntry(*row) for row in connection.execute(statement)]
    return found[:limit], len(found) > limit


def read_actions(connection: Connection, tenant: str) -> list[str]:
    """Every kind of action that the log has, for the filter's suggestions."""
    statement = select(_ROW.action).where(_ROW.tenant == tenant).distinct().order_by(_ROW.action).limit(200)
    return list(connection.execute(statement).scalars())


def read_entry(connection: Connection, tenant: str, entry: bytes) -> AuditEntry | None:
    """One entry; None where there is none."""
    row = connection.execute(_filtered(tenant, AuditFilter()).where(_ROW.entry == entry)).first()
    return None if row is None else AuditEntry(*row)


def _filtered(tenant: str, wanted: AuditFilter) -> Select[Any]:
    statement = select(_ROW.entry, _ROW.at_ms, _ROW.actor, _ROW.action, _ROW.subject, _ROW.detail).where(
        _ROW.tenant == tenant
    )
    if wanted.actor:
        statement = statement.where(_ROW.actor.startswith(wanted.actor, autoescape=True))
    if wanted.action:
        statement = statement.where(_ROW.action.startswith(wanted.action, autoescape=True))
    if wanted.subject:
        statement = statement.where(_ROW.subject == wanted.subject)
    if wanted.from_ms is not None:
        statement = statement.where(_ROW.at_ms >= wanted.from_ms)
    if wanted.until_ms is not None:
        statement = statement.where(_ROW.at_ms < wanted.until_ms)
    return statement
