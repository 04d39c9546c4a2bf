"""One register: all that it reports, its update, its certificates, and what happened to it."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from cloud.console.adapters.register import join_group, leave_group, read_register
from cloud.console.charts.register_charts import register_charts
from cloud.console.charts.values import Chart, size_of
from cloud.console.desk import AtDesk, Desk
from cloud.console.errors import NotFound
from cloud.console.live import Parts
from cloud.console.live_pages import LivePage
from cloud.console.pages.rollout_charts import picture
from cloud.console.rendering import fragment, show_live
from cloud.console.scopes import Operator, Viewer
from cloud.console.views.fleet import ATTENTION_WORDS, PRESENCE_WORDS
from cloud.console.views.register import (
    RegisterFacts,
    health_tiles,
    metadata_facts,
    named_labels,
    progress,
    reported_facts,
    shadow_facts,
    timeline,
)
from cloud.principal import Principal, Role

router = APIRouter()
_PARTS = "register_parts.html"


@router.get("/fleet/{register}")
def register_page(
    request: Request, desk: AtDesk, principal: Annotated[Principal, Viewer], register: str
) -> Response:
    """The page."""
    facts = _read(desk, principal, register)
    return show_live(
        request,
        "register.html",
        _parts(facts, desk.now_ms()),
        facts=facts,
        charts=list(_charts(facts).values()),
        sizes=size_of,
        metadata=metadata_facts(facts.report),
        reported=reported_facts(facts.report),
        counters=[(one["name"], one["value"]) for one in facts.report.get("counters", ())],
        may_change=principal.role.includes(Role.OPERATOR),
    )


@router.get("/fleet/{register}/charts/{name}.svg")
async def chart(  # noqa: PLR0917 - what names a picture
    request: Request,
    desk: AtDesk,
    principal: Annotated[Principal, Viewer],
    register: str,
    name: str,
    width: str = "wide",
    theme: str = "system",
) -> Response:
    """One picture of it."""
    facts = await asyncio.to_thread(_read, desk, principal, register)
    found = _charts(facts).get(name)
    if found is None:
        raise NotFound("there is no such chart", remedy="Go on from the register's page.")
    return await picture(request, desk, found, width, theme)


@router.post("/fleet/{register}/groups")
def join(
    desk: AtDesk, principal: Annotated[Principal, Operator], register: str, group: Annotated[str, Form()]
) -> Response:
    """Put it into a group."""
    with desk.database.tenant(principal.tenant) as connection:
        join_group(connection, principal, register, group.strip(), desk.now_ms())
    return RedirectResponse(f"/fleet/{register}#groups", 303)


@router.post("/fleet/{register}/groups/leave")
def leave(
    desk: AtDesk, principal: Annotated[Principal, Operator], register: str, group: Annotated[str, Form()]
) -> Response:
    """Take it out of a group."""
    with desk.database.tenant(principal.tenant) as connection:
        leave_group(connection, principal, register, group, desk.now_ms())
    return RedirectResponse(f"/fleet/{register}#groups", 303)


def _live(desk: Desk, principal: Principal, params: Mapping[str, str], _: Mapping[str, str]) -> Parts:
    return _parts(_read(desk, principal, params["register"]), desk.now_ms())


LIVE = (LivePage("/fleet/{register}", _live),)


def _read(desk: Desk, principal: Principal, register: str) -> RegisterFacts:
    with desk.database.tenant(principal.tenant, read_only=True) as connection:
        return read_register(connection, principal, register, desk.now_ms())


def _charts(facts: RegisterFacts) -> dict[str, Chart]:
    health = facts.report.get("health") or {}
    return register_charts(facts.report, named_labels(health.get("labels", ()), facts.flavours))


def _parts(facts: RegisterFacts, now_ms: int) -> Parts:
    return {
        "state": [("state", fragment(_PARTS, "state", facts, now_ms, PRESENCE_WORDS, ATTENTION_WORDS))],
        "model": [("model", fragment(_PARTS, "model", facts, now_ms, progress(facts.report)))],
        "health": [("health", fragment(_PARTS, "health", health_tiles(facts)))],
        "shadow": [("shadow", fragment(_PARTS, "shadow", shadow_facts(facts.report)))],
        "timeline": [("timeline", fragment(_PARTS, "timeline", timeline(facts), now_ms))],
    }
