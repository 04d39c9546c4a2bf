"""The console's application: its pages, and what holds for each of them."""

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response
from starlette.types import ASGIApp

from cloud.console.desk import Desk
from cloud.console.failures import add_failures
from cloud.console.headers import ClosedDoors
from cloud.console.pages import (
    audit,
    fleet,
    frames,
    live,
    login,
    overview,
    plan,
    register,
    releases,
    rollout_charts,
    rollouts,
    theme,
)
from cloud.console.rendering import STATIC
from cloud.console.scopes import genuine

PAGES = (
    *(login, theme, live, overview, fleet, register, releases),
    *(plan, rollout_charts, rollouts, frames, audit),
)
"""Modules with a `router`; each is about one subject. What of it is live stands in its `LIVE`."""


def build_app(desk: Desk) -> ASGIApp:
    """The application behind its headers."""
    return ClosedDoors(build_routes(desk), host=desk.host, secure=desk.cookies.secure)


def build_routes(desk: Desk) -> FastAPI:
    """The application without them; `genuine` guards whatever changes anything, on every route."""
    app = FastAPI(
        title="Topscoop console",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        dependencies=[Depends(genuine)],
    )
    app.state.desk = desk
    app.state.live_pages = tuple(one for page in PAGES for one in getattr(page, "LIVE", ()))
    add_failures(app)
    app.router.add_route("/static/{digest}/{name:path}", _static, include_in_schema=False)
    for page in PAGES:
        app.include_router(page.router)
    return app


async def _static(request: Request) -> Response:
    return STATIC.answer(request.path_params["digest"], request.path_params["name"])
