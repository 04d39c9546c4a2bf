"""The pictures of a rollout's charts, each at its own address; a page never waits for one."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud.console.adapters.rollout_figures import Figures, read_figures
from cloud.console.charts import rollout_charts as charts
from cloud.console.charts.press import ChartNotDrawn
from cloud.console.charts.themes import THEMES, themed
from cloud.console.charts.values import WIDTHS, Chart, Order, size_of
from cloud.console.desk import AtDesk, Desk
from cloud.console.errors import NotFound
from cloud.console.ids import id_from
from cloud.console.scopes import Viewer
from cloud.principal import Principal
from cloud.rollout.errors import UnknownRollout
from cloud.rollout.values import MemberState
from daemon.log_fields import fields

router = APIRouter()
log = logging.getLogger(__name__)

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""A picture carries its own colours as a style sheet, and nothing else."""
CHARTS_LIFE_MS: Final = 5000
STATES_STEP_MS: Final = 15_000
"""The chart of states ends at a round time, so that those who look together share one picture."""


@router.get("/rollouts/{rollout}/charts/{name}.svg")
async def chart(  # noqa: PLR0917 - what names a picture
    request: Request,
    principal: Annotated[Principal, Viewer],
    desk: AtDesk,
    rollout: str,
    name: str,
    width: str = "wide",
    theme: str = "system",
) -> Response:
    """One picture. Its tag names its contents: what a browser has it does not get again, nor is it drawn."""
    key = id_from(rollout, "rollout")
    try:
        found = (await asyncio.to_thread(read_charts, desk, principal, key)).get(name)
    except UnknownRollout as error:
        raise NotFound(str(error)) from error
    if found is None:
        raise NotFound("there is no such chart", remedy="Go on from the rollout's page.")
    return await picture(request, desk, found, width, theme)


async def picture(request: Request, desk: Desk, chart: Chart, width: str, theme: str) -> Response:
    """A chart as SVG, drawn where the browser has it not yet.

    Raises:
        NotFound: No such width or theme, or nothing to draw.
    """
    if width not in WIDTHS or theme not in THEMES or chart.empty:
        raise NotFound("there is no such picture", remedy="The numbers stand beside it.")
    order = Order(chart, size_of(chart, width))
    tag = f'"{order.digest()}-{theme}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Content-Security-Policy": _POLICY}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    try:
        svg = await desk.press.draw(order)
    except ChartNotDrawn as error:
        log.warning("chart.not_drawn", extra=fields(chart=chart.name, error=str(error)))
        return Response("not drawn", 503, {"Retry-After": "5"}, media_type="text/plain")
    return Response(themed(svg, theme), headers=headers, media_type="image/svg+xml")


def read_charts(desk: Desk, principal: Principal, rollout: bytes) -> Mapping[str, Chart]:
    """A rollout's charts; a page and the pictures that it then asks for read the registers once.

    Raises:
        UnknownRollout: Not in this chain.
    """

    def read() -> Mapping[str, Chart]:
        with desk.database.tenant(principal.tenant, read_only=True) as connection:
            return charts_of(read_figures(connection, principal, rollout), desk.now_ms())

    key = ("charts", principal.tenant, rollout)
    return desk.recent.get(key, desk.now_ms(), lambda _: CHARTS_LIFE_MS, read)


def charts_of(figures: Figures, now_ms: int) -> dict[str, Chart]:
    """Every chart of a rollout by its name; confidence and flavours are of the present stage."""
    rollout, stages = figures.rollout, figures.stages
    present = stages[min(rollout.stage, len(stages) - 1)]
    end = rollout.ended_at_ms or -(-now_ms // STATES_STEP_MS) * STATES_STEP_MS
    moves = [
        charts.MemberMoves(member.state, member.told_at_ms, member.changed_at_ms)
        for member in figures.members
        if member.state is not MemberState.WAITING or member.told_at_ms is None
    ]
    start = rollout.started_at_ms or rollout.created_at_ms
    found = (
        charts.states_chart(moves, start, max(end, start + 1)),
        charts.latency_chart(stages, rollout.budget_p99_ms * rollout.plan.gates.latency_of_budget),
        charts.errors_chart(stages, rollout.plan.gates.error_share),
        charts.confidence_chart(present, rollout.baseline.get("confidence", ())),
        charts.labels_chart(present, rollout.baseline.get("labels", ()), figures.flavours),
    )
    return {one.name: one for one in found}
