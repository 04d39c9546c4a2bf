"""The public API's application: its routes, and what holds for each of them."""

from fastapi import FastAPI
from starlette.types import ASGIApp

from cloud.public_api.desk import Desk
from cloud.public_api.failures import add_failures
from cloud.public_api.front_door import FrontDoor
from cloud.public_api.routes import (
    device,
    docs,
    erasures,
    handovers,
    login,
    me,
    menu,
    outcomes,
    pages,
    recommendation_events,
    recommendations,
    token,
    uploads,
)

ROUTES = (
    uploads,
    docs,
    recommendations,
    recommendation_events,
    outcomes,
    menu,
    login,
    device,
    token,
    pages,
    me,
    erasures,
    handovers,
)
"""Modules with a `router`; each is about one subject."""


def build_app(desk: Desk) -> ASGIApp:
    """The application behind its front door."""
    return FrontDoor(build_routes(desk), desk.tenants, desk.limits, desk.turnstile)


def build_routes(desk: Desk) -> FastAPI:
    """The application without it."""
    app = FastAPI(title="Topscoop", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.desk = desk
    add_failures(app)
    for one in ROUTES:
        app.include_router(one.router)
    return app
