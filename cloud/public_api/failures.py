"""Every failure becomes a problem document: ours, the framework's, the database's, and the unexpected."""

import logging
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from cloud.errors import DatabaseAway
from cloud.objects.ports import ObjectsAway, StoreRefused
from cloud.public_api.oauth_forms import NO_STORE, OAuthRefusal
from cloud.public_api.pages.failure import failure_page, wants_page
from cloud.public_api.problems import MEDIA_TYPE, Problem, problem
from cloud.public_api.tries import Try
from daemon.log_fields import fields

log = logging.getLogger(__name__)

_BY_STATUS: Final = {
    404: ("not-found", "nothing is at this address"),
    405: ("method-not-allowed", "this address does not take that method"),
    413: ("too-large", "the body is longer than anything this API takes"),
    415: ("unsupported-type", "this address takes another media type"),
}
_AWAY_S: Final = 5
_ERRORS_MAX: Final = 20


def add_failures(app: FastAPI) -> None:
    """Give every kind of failure its document."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(OAuthRefusal, _oauth)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(DatabaseAway, _away)
    app.add_exception_handler(ObjectsAway, _store_away)
    app.add_exception_handler(StoreRefused, _store_away)
    app.add_exception_handler(Exception, _broken)


def answer(refused: Problem, request: Request) -> Response:
    """The answer that says so: a page for people, the problem document for programs."""
    if wants_page(request):
        return failure_page(request, refused)
    return JSONResponse(refused.document(), refused.kind.status, refused.headers, media_type=MEDIA_TYPE)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    request.state.problem = error.kind.slug
    if error.kind.slug == "bad-token":
        request.app.state.desk.limits.wrong_credential(request.scope, request.state.tenant)
    return answer(error, request)


async def _oauth(request: Request, error: Exception) -> Response:
    """The token endpoint's own way to say no (RFC 6749, 5.2)."""
    assert isinstance(error, OAuthRefusal)
    request.state.problem = error.code
    if error.code in {"invalid_client", "invalid_grant"}:
        desk = request.app.state.desk
        desk.tries.wrong(Try.CREDENTIALS, request.state.tenant, desk.limits.address(request.scope))
    return JSONResponse(error.document(), error.status, {**NO_STORE, **error.headers})


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()[:_ERRORS_MAX]
    if any(one["type"] == "json_invalid" for one in found):
        return await _problem(request, problem("malformed", "the body is not JSON"))
    wrong = [_named(one) for one in found]
    detail = "; ".join(f"{one.get('pointer') or one['parameter']}: {one['detail']}" for one in wrong)
    return await _problem(request, problem("invalid", detail[:500], errors=wrong))


def _named(error: Any) -> dict[str, str]:
    """One wrong value by its place, without the value."""
    place, *path = [str(part) for part in error["loc"]]
    words = str(error["msg"])[:200]
    if place == "body":
        escaped = (part.replace("~", "~0").replace("/", "~1")[:80] for part in path)
        return {"pointer": "#/" + "/".join(escaped), "detail": words}
    return {"parameter": ".".join(path)[:80] or place, "in": place, "detail": words}


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    slug, detail = _BY_STATUS.get(error.status_code, ("malformed", "the request cannot be read"))
    return await _problem(request, problem(slug, detail, headers=error.headers))


async def _away(request: Request, error: Exception) -> Response:
    log.error("api.unavailable", extra=fields(error=str(error)))
    return await _problem(
        request,
        problem("not-ready", "the database does not answer", headers={"Retry-After": str(_AWAY_S)}),
    )


async def _store_away(request: Request, error: Exception) -> Response:
    log.error("api.unavailable", extra=fields(error=str(error)))
    return await _problem(
        request, problem("not-ready", "the store does not answer", headers={"Retry-After": str(_AWAY_S)})
    )


async def _broken(request: Request, error: Exception) -> Response:
    # The route as it is written, never the address as it came: a register's code is part of one.
    route = getattr(request.scope.get("route"), "path", "none")
    log.error("api.failed", extra=fields(route=route), exc_info=error)
    return await _problem(request, problem("internal", "whoever runs this service finds it in its log"))
