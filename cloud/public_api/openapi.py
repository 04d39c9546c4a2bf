"""The API's description, OpenAPI 3.1: what FastAPI knows of the routes, and what holds for all of them.

It is made without a desk, so that the command line prints the very document that the service serves.
"""

from functools import cache
from importlib.metadata import version
from typing import Any, Final

import orjson
from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from cloud.public_api.documented import EVERYWHERE, SIGNED_IN, refusals
from cloud.public_api.problems import PROBLEMS
from cloud.public_api.scopes import counted

DESCRIPTION: Final = """\
Three flavours for a picture of a customer, without keeping the customer's data.

1. Log in: a browser at `/login`; a device with `POST /v1/device`; a machine with `POST /v1/token`.
2. `POST /v1/uploads` announces a picture and gives a URL that takes it once, for a minute.
3. `PUT` the picture there. It goes straight to the store.
4. `GET /v1/recommendations/{request_id}?wait=10` gives the three flavours as soon as they are known.

Each chain has its own host; nothing else says which chain is meant. Refusals are problem documents (RFC
9457), all of them at `/docs/problems`. How often you may ask stands in `RateLimit` and `RateLimit-Policy`.
"""
_TAGS: Final = {
    "uploads": "Send a picture",
    "recommendations": "Get what to offer",
    "me": "Who you are, what is kept of you, and how to have it erased",
    "login": "Get in and out",
    "consent": "What people read before they say yes",
    "handovers": "Answer the code on a register's display",
}
_JSON: Final = "application/json"
_SCHEMES: Final = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-topscoop",
        "description": "A browser's session after `/login`. What changes anything carries `X-CSRF-Token` "
        "from `GET /v1/me` beside it.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of `POST /v1/token`, or an access token (RFC 9068) of a provider that the "
        "chain accepts.",
    },
}
_PROBLEM: Final = {
    "type": "object",
    "title": "Problem",
    "description": "A refusal (RFC 9457).",
    "required": ["type", "title", "status", "detail", "remedy"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "stable; decide by it",
            "enum": [f"/docs/problems#{slug}" for slug in PROBLEMS],
        },
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what exactly was wrong"},
        "remedy": {"type": "string", "description": "what to do next"},
        "errors": {
            "type": "array",
            "description": "the fields that were wrong, by JSON pointer or parameter",
            "items": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
    "additionalProperties": True,
}


def description(public_url: str, *routers: APIRouter) -> dict[str, Any]:
    """The document.

    Args:
        public_url: As the configuration has it, with `{tenant}`.
        routers: Of the routes; without any, all of the API's.
    """
    if not routers:
        from cloud.public_api.app import ROUTES

        routers = tuple(one.router for one in ROUTES)
    app = FastAPI(title="Topscoop", generate_unique_id_function=lambda route: route.name)
    for one in routers:
        app.include_router(one)
    document = get_openapi(
        title="Topscoop",
        version=version("topscoop"),
        openapi_version="3.1.0",
        summary="Three flavours for a picture",
        description=DESCRIPTION,
        routes=app.routes,
        tags=[{"name": name, "description": words} for name, words in _TAGS.items()],
        servers=[
            {
                "url": public_url,
                "description": "A chain's own host",
                "variables": {"tenant": {"default": "gelateria-sole", "description": "the chain"}},
            }
        ],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    components["securitySchemes"] = _SCHEMES
    for route in (route for router in routers for route in router.routes):
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                _complete(document["paths"][route.path_format][method.lower()], route)
    return document


@cache
def served(public_url: str) -> bytes:
    """The document as the service gives it out; made once."""
    return written(description(public_url))


def written(document: dict[str, Any]) -> bytes:
    """As JSON, for people too."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def _complete(operation: dict[str, Any], route: APIRoute) -> None:
    """Add what holds for every route of its kind."""
    signed_in = _asks_who_calls(route.dependant)
    operation["security"] = [{"session": []}, {"bearer": []}] if signed_in else []
    responses = operation["responses"]
    if _is_frameworks(responses.get("422")):
        del responses["422"]
    slugs = [*EVERYWHERE, *(SIGNED_IN if signed_in else ())]
    if _can_be_invalid(route.dependant):
        slugs += ["invalid"]
    if route.body_field is not None:
        slugs += ["too-large"]
    for status, answer in refusals(*slugs).items():
        _merge(responses, str(status), answer)


def _merge(responses: dict[str, Any], status: str, answer: dict[str, Any]) -> None:
    """Add the problems of one status to those that the route itself names."""
    there = responses.setdefault(status, answer)
    if there is answer:
        return
    for media_type, content in answer["content"].items():
        known = there.setdefault("content", {}).setdefault(media_type, {"schema": content["schema"]})
        examples = known.setdefault("examples", {})
        new = {slug: example for slug, example in content["examples"].items() if slug not in examples}
        examples.update(new)
        for slug in new:
            there["description"] += f". `{slug}`: {PROBLEMS[slug].title}"


def _is_frameworks(answer: dict[str, Any] | None) -> bool:
    schema = ((answer or {}).get("content", {}).get(_JSON, {})).get("schema", {})
    return bool(schema.get("$ref", "").endswith("/HTTPValidationError"))


def _asks_who_calls(dependant: Dependant) -> bool:
    return dependant.call is counted or any(_asks_who_calls(one) for one in dependant.dependencies)


def _can_be_invalid(dependant: Dependant) -> bool:
    """Whether it takes anything that is checked: a body, a query, a header, a part of the path."""
    own = [*dependant.query_params, *dependant.header_params, *dependant.path_params, *dependant.body_params]
    return bool(own) or any(_can_be_invalid(one) for one in dependant.dependencies)
