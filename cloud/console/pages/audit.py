"""The audit log: who did what, when; filtered, page by page, as CSV."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from cloud.console.adapters.audit_entries import (
    EXPORT_MAX,
    AuditEntry,
    AuditFilter,
    read_actions,
    read_entry,
    read_page,
)
from cloud.console.desk import AtDesk, Desk
from cloud.console.errors import NotFound
from cloud.console.ids import id_from
from cloud.console.rendering import show
from cloud.console.scopes import Viewer
from cloud.console.views.audit_query import AuditQuery, read_query
from cloud.console.views.csv_lines import csv_lines
from cloud.console.words import iso, milliseconds, when
from cloud.principal import Principal

router = APIRouter()
_EXPORT_PAGE: Final = 1000
_TIMES_FROM_MS: Final = 1_000_000_000_000
"""A smaller number of milliseconds is a span; this one is in 2001."""
_HEAD: Final = ("entry", "at", "actor", "action", "subject", "detail")


@router.get("/audit")
def audit_page(request: Request, principal: Annotated[Principal, Viewer], desk: AtDesk) -> Response:
    """Entries, newest first."""
    wanted = read_query(request.query_params)
    with desk.database.tenant(principal.tenant, read_only=True) as connection:
        entries, more = read_page(connection, principal.tenant, _filter(wanted), before=wanted.before)
        actions = read_actions(connection, principal.tenant)
    return show(
        request,
        "audit.html",
        wanted=wanted,
        found=entries,
        older=wanted.address(before=entries[-1].entry) if more else None,
        actions=actions,
        details=_details,
    )


@router.get("/audit.csv")
def audit_csv(request: Request, principal: Annotated[Principal, Viewer], desk: AtDesk) -> Response:
    """The same entries as a file; at most `EXPORT_MAX` of them."""
    wanted = read_query(request.query_params)
    return StreamingResponse(
        csv_lines(_HEAD, _rows(desk, principal, wanted)),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="topscoop-audit.csv"'},
    )


@router.get("/audit/{entry}")
def entry_page(
    request: Request, principal: Annotated[Principal, Viewer], desk: AtDesk, entry: str
) -> Response:
    """One entry, for a link."""
    with desk.database.tenant(principal.tenant, read_only=True) as connection:
        found = read_entry(connection, principal.tenant, id_from(entry, "entry"))
    if found is None:
        raise NotFound("there is no such entry in this chain", remedy="Go on from the audit log.")
    return show(request, "audit_entry.html", entry=found, details=_details(found))


def _filter(wanted: AuditQuery) -> AuditFilter:
    return AuditFilter(wanted.actor, wanted.action, wanted.subject, wanted.from_ms, wanted.until_ms)


def _rows(desk: Desk, principal: Principal, wanted: AuditQuery) -> Iterator[tuple[object, ...]]:
    """Page by page, each in a transaction of its own: a slow reader holds none open."""
    before, left = wanted.before, EXPORT_MAX
    while left > 0:
        with desk.database.tenant(principal.tenant, read_only=True) as connection:
            entries, more = read_page(
                connection, principal.tenant, _filter(wanted), before=before, limit=min(left, _EXPORT_PAGE)
            )
        for one in entries:
            detail = json.dumps(dict(one.detail), ensure_ascii=False, sort_keys=True)
            yield one.entry.hex(), iso(one.at_ms), one.actor, one.action, one.subject, detail
        if not more:
            return
        left -= len(entries)
        before = entries[-1].entry


def _details(entry: AuditEntry) -> list[tuple[str, str]]:
    """Names and values of an entry's detail, without the operator's id, which says nothing to people."""
    named: Mapping[str, Any] = entry.detail
    return [_detail(name, value) for name, value in sorted(named.items()) if name != "operator"]


def _detail(name: str, value: Any) -> tuple[str, str]:
    """A time reads as one; the file for programs keeps the number."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if name.endswith("_ms") and number:
        said = when(int(value)) if value >= _TIMES_FROM_MS else milliseconds(value)
        return name.removesuffix("_ms").removesuffix("_at"), said
    return name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
