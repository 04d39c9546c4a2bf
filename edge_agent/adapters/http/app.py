"""The local API as one ASGI application: routes by verb, problems for errors, the guard around all of it."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.types import ASGIApp

from edge_agent.adapters.http import (
    events,
    health,
    interactions,
    menu,
    model,
    outcomes,
    pages,
    problems,
    schemas,
)
from edge_agent.adapters.http.access import OF_DISPLAY, AccessRules
from edge_agent.adapters.http.guard import Guard, RequestObserver
from edge_agent.adapters.http.services import Services

_DESCRIPTION = (
    "Three flavours for the customer at the till. Every POST and PUT needs the till's pairing token "
    "(`Authorization: Bearer …`); errors are problem details (RFC 9457) that say what to do next."
)
_SCHEMAS: tuple[type[BaseModel], ...] = (
    schemas.InteractionRequest,
    schemas.InteractionAnswer,
    schemas.OutcomeRequest,
    schemas.OutcomeAnswer,
    schemas.MenuRequest,
    schemas.MenuAnswer,
    schemas.ModelRequest,
    schemas.ModelAnswer,
    schemas.HealthAnswer,
    schemas.ProblemAnswer,
)
"""What the operations name by reference; schemas within these come along."""


def create_app(services: Services, rules: AccessRules, observe: RequestObserver) -> ASGIApp:
    """The application behind its guard."""
    return Guard(create_unguarded(services), rules, observe)


def create_unguarded(services: Services) -> FastAPI:
    """The application alone, for its description."""
    app = FastAPI(
        title="Topscoop edge agent",
        version=services.version,
        description=_DESCRIPTION,
        docs_url=None,  # FastAPI's page loads its script from another host
        redoc_url=None,
        redirect_slashes=False,
        # Nothing about a customer's visit leaves the register by this road, whatever the environment says.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    problems.install(app)
    for part in (interactions, outcomes, menu, model, events, health):
        app.include_router(part.routes(services))
    described = _SCHEMAS
    if services.uplink is not None:
        # Imported only here: without an uplink the agent is as small and as fast to start as ever.
        from edge_agent.adapters.http import consent, uplink

        app.include_router(consent.routes(services.uplink.consents))
        app.include_router(uplink.routes(services.uplink))
        described += consent.SCHEMAS + uplink.SCHEMAS
        if services.uplink.handovers is not None:
            from edge_agent.adapters.http import handover

            app.include_router(handover.routes(services.uplink.handovers))
            described += handover.SCHEMAS
        if services.uplink.releases is not None:
            from edge_agent.adapters.http import releases

            app.include_router(releases.routes(services.uplink.releases.updates))
            described += releases.SCHEMAS
    app.include_router(pages.routes())
    app.openapi = lambda: _described(app, described)  # type: ignore[method-assign]
    return app


def _described(app: FastAPI, schemas_named: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        _, added = models_json_schema(
            [(schema, "validation") for schema in schemas_named], ref_template="#/components/schemas/{model}"
        )
        components = document.setdefault("components", {})
        components.setdefault("schemas", {}).update(added["$defs"])
        components["securitySchemes"] = {"pairing": {"type": "http", "scheme": "bearer"}}
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if method in {"post", "put"} and not path.endswith(OF_DISPLAY):
                    operation["security"] = [{"pairing": []}]
                # FastAPI's own error schema is not what it answers here.
                if "HTTPValidationError" in str(operation["responses"].get("422")):
                    operation["responses"]["422"] = {
                        "description": "A parameter is wrong",
                        "content": {
                            problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}
                        },
                    }
        for unused in ("HTTPValidationError", "ValidationError"):
            components["schemas"].pop(unused, None)
        app.openapi_schema = document
    return app.openapi_schema
