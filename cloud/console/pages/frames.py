"""What arrives: frames, refusals, quarantine, quota, consents; counts only, never a picture."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud.console.adapters import arrivals
from cloud.console.charts.frame_charts import HOUR_MS, arrivals_chart, refusals_chart
from cloud.console.charts.values import Chart, size_of
from cloud.console.desk import AtDesk, Desk
from cloud.console.errors import NotFound
from cloud.console.pages.rollout_charts import picture
from cloud.console.rendering import show
from cloud.console.scopes import Viewer
from cloud.principal import Principal

router = APIRouter()
HOURS: Final = 24
DAYS: Final = 14


@router.get("/frames")
def frames_page(request: Request, principal: Annotated[Principal, Viewer], desk: AtDesk) -> Response:
    """Counts of the last day and of two weeks."""
    tenant, now_ms = principal.tenant, desk.now_ms()
    days = last_days(now_ms)
    charts = _charts(desk, principal)
    with desk.database.tenant(tenant, read_only=True) as connection:
        usage = arrivals.read_usage(connection, tenant, days[-1])
        refused = arrivals.read_refusals_by_register(connection, tenant, days)
        whole, set_aside = arrivals.read_quarantine(connection, tenant)
        consents = arrivals.read_consents(connection, tenant, now_ms)
    return show(
        request,
        "frames.html",
        usage=usage,
        refused=refused,
        set_aside=set_aside,
        set_aside_count=whole,
        consents=consents,
        charts=charts,
        size_of=size_of,
        days=DAYS,
    )


@router.get("/frames/charts/{name}.svg")
async def chart(  # noqa: PLR0917 - what names a picture
    request: Request,
    principal: Annotated[Principal, Viewer],
    desk: AtDesk,
    name: str,
    width: str = "wide",
    theme: str = "system",
) -> Response:
    """One picture."""
    found = (await asyncio.to_thread(_charts, desk, principal)).get(name)
    if found is None:
        raise NotFound("there is no such chart", remedy="Go on from the page of frames.")
    return await picture(request, desk, found, width, theme)


def last_days(now_ms: int) -> list[str]:
    """The last two weeks as the counters name days (UTC), oldest first; today is the last one."""
    today = datetime.fromtimestamp(now_ms / 1000, tz=UTC).date()
    return [(today - timedelta(days=back)).isoformat() for back in reversed(range(DAYS))]


def _charts(desk: Desk, principal: Principal) -> Mapping[str, Chart]:
    now_ms = desk.now_ms()
    first_ms = (now_ms // HOUR_MS - HOURS + 1) * HOUR_MS
    days = last_days(now_ms)
    with desk.database.tenant(principal.tenant, read_only=True) as connection:
        stored = arrivals.read_hours(connection, principal.tenant, first_ms)
        refused = arrivals.read_refusals_by_day(connection, principal.tenant, days)
    found = arrivals_chart(stored, first_ms, HOURS), refusals_chart(refused, days)
    return {one.name: one for one in found}
