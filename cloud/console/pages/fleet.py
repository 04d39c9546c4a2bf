"""The fleet: every register of the chain, how it is, and what it runs."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from cloud.console.adapters.fleet import CHUNK, read_chunk, read_counts, read_fleet
from cloud.console.desk import AtDesk, Desk
from cloud.console.failures import wants_json
from cloud.console.live import Parts
from cloud.console.live_pages import LivePage
from cloud.console.rendering import fragment, show_live
from cloud.console.scopes import Viewer
from cloud.console.views.csv_lines import csv_lines
from cloud.console.views.fleet import (
    ANY,
    ATTENTION_WORDS,
    PRESENCE_WORDS,
    FleetPage,
    FleetQuery,
    FleetRow,
)
from cloud.console.views.fleet_table import CSV_HEAD, columns, csv_row, row_document
from cloud.principal import Principal

router = APIRouter()
_PARTS = "fleet_parts.html"
COUNTS_LIFE_MS = 2000
"""The figures of the whole chain are this old at most; each costs a look at every register."""


@router.get("/fleet")
def fleet(request: Request, desk: AtDesk, principal: Annotated[Principal, Viewer]) -> Response:
    """The table, its filters and the chain's figures; JSON for programs."""
    query = FleetQuery.parse(request.query_params)
    page = _read(desk, principal, query)
    if wants_json(request):
        return JSONResponse(
            {
                "matching": page.matching,
                "registers": [row_document(row) for row in page.rows],
                "next": _edge(query, page)[1],
            }
        )
    previous, following = _edge(query, page)
    return show_live(
        request,
        "fleet.html",
        _parts(page, desk.now_ms()),
        query=query,
        page=page,
        columns=columns(query),
        previous=previous,
        following=following,
        attention_words=ATTENTION_WORDS,
        presence_words=PRESENCE_WORDS,
        any_attention=ANY,
        order=query.order,
    )


@router.get("/fleet.csv")
def fleet_csv(request: Request, desk: AtDesk, principal: Annotated[Principal, Viewer]) -> Response:
    """Every register that the filters let through, for a spreadsheet."""
    query = FleetQuery.parse(request.query_params)

    def pieces() -> Iterator[str]:
        at, begun = query.first(), False
        while True:
            # A transaction a piece: who reads slowly holds none open.
            with desk.database.tenant(principal.tenant, read_only=True) as connection:
                rows = read_chunk(connection, principal, at, desk.now_ms())
            lines = csv_lines(CSV_HEAD, map(csv_row, rows))
            yield "".join(itertools.islice(lines, 1 if begun else 0, None))
            if len(rows) < CHUNK:
                return
            at, begun = replace(at, after=rows[-1].place), True

    name = f'attachment; filename="{principal.tenant}-fleet.csv"'
    return StreamingResponse(
        pieces(), media_type="text/csv; charset=utf-8", headers={"Content-Disposition": name}
    )


def _live(desk: Desk, principal: Principal, _: Mapping[str, str], query: Mapping[str, str]) -> Parts:
    return _parts(_read(desk, principal, FleetQuery.parse(query)), desk.now_ms())


LIVE = (LivePage("/fleet", _live),)


def _read(desk: Desk, principal: Principal, query: FleetQuery) -> FleetPage:
    with desk.database.tenant(principal.tenant, read_only=True) as connection:
        counts = desk.recent.get(
            ("fleet", principal.tenant),
            desk.now_ms(),
            lambda _: COUNTS_LIFE_MS,
            lambda: read_counts(connection, principal, desk.now_ms()),
        )
        return read_fleet(connection, principal, query, desk.now_ms(), counts)


def _edge(query: FleetQuery, page: FleetPage) -> tuple[str | None, str | None]:
    """Where the pages before and after are."""
    earlier = None if page.earlier is None else replace(query.first(), before=page.earlier).href()
    later = None if page.later is None else replace(query.first(), after=page.later).href()
    return earlier, later


def _parts(page: FleetPage, now_ms: int) -> Parts:
    return {
        "figures": [("figures", fragment(_PARTS, "figures", page.counts))],
        "rows": [(row.register, _row(row, now_ms)) for row in page.rows],
    }


def _row(row: FleetRow, now_ms: int) -> str:
    return fragment(_PARTS, "row", row, now_ms, PRESENCE_WORDS, ATTENTION_WORDS)
