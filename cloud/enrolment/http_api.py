"""Enrolment over HTTPS: two routes that give certificates, one that shows the authority, RFC 9457 errors."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException

from cloud.config import EnrolmentConfig
from cloud.enrolment.answer import answer
from cloud.enrolment.certificates import Authority, pem
from cloud.enrolment.enrol import EnrolmentOffice, Granted
from cloud.enrolment.errors import BadEnrolmentRequest, EnrolmentRefused, TooManyRequests
from cloud.enrolment.rate_limit import RateLimit
from cloud.enrolment.request import BODY_MAX_BYTES, parse_enrolment, parse_renewal
from cloud.errors import DatabaseAway
from daemon.log_fields import fields

log = logging.getLogger(__name__)

BODY_TIMEOUT_S: Final = 10.0
"""For 16 KiB; who takes longer holds a connection that others need."""
PROBLEM_TYPE: Final = "urn:topscoop:enrolment:"
_TITLES: Final = {
    400: "Bad request",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    413: "Too large",
    415: "Not JSON",
    422: "Bad request",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes need.

    Attributes:
        now_ms: The clock.
    """

    office: EnrolmentOffice
    registers: Authority
    services: Authority
    config: EnrolmentConfig
    now_ms: Callable[[], int]
    limit: RateLimit = field(default_factory=RateLimit)


def build_app(desk: Desk) -> FastAPI:
    """The application; `server` puts it behind TLS."""
    app = FastAPI(title="Topscoop enrolment", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/v1/ca")
    async def authority() -> Response:
        return PlainTextResponse(pem(desk.services.certificate), media_type="application/x-pem-file")

    @app.post("/v1/enrolments")
    async def enrolments(request: Request) -> Response:
        body = await _json_body(request, desk)
        return await _granted(desk, lambda now_ms: desk.office.enrol(parse_enrolment(body), now_ms))

    @app.post("/v1/renewals")
    async def renewals(request: Request) -> Response:
        body = await _json_body(request, desk)

        def renew(now_ms: int) -> Granted:
            return desk.office.renew(parse_renewal(body, desk.registers, now_ms), now_ms)

        return await _granted(desk, renew)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    app.add_exception_handler(EnrolmentRefused, _refused)
    app.add_exception_handler(DatabaseAway, _unavailable)
    app.add_exception_handler(HTTPException, _http_error)
    app.middleware("http")(_closed_doors)
    return app


async def _granted(desk: Desk, decide: Callable[[int], Granted]) -> Response:
    now_ms = desk.now_ms()
    # Signing and the database wait; the loop serves the others meanwhile.
    granted = await asyncio.to_thread(decide, now_ms)
    body = answer(granted, desk.registers, desk.services, desk.config, now_ms)
    return JSONResponse(body, status_code=201)


async def _json_body(request: Request, desk: Desk) -> dict[str, Any]:
    # 1. Not too often.
    source = request.client.host if request.client is not None else ""
    wait_ms = desk.limit.wait_ms(source, desk.now_ms())
    if wait_ms:
        log.warning("enrolment.limited", extra=fields(source=source))
        raise TooManyRequests(-(-wait_ms // 1000))
    # 2. JSON, as it says itself: a page of another origin cannot send that without being asked.
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "the body must be application/json")
    # 3. Neither too large, whatever it announces, nor drop by drop.
    data = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                data += chunk
                if len(data) > BODY_MAX_BYTES:
                    raise HTTPException(413, f"the body may have {BODY_MAX_BYTES} bytes")
    except TimeoutError as error:
        raise HTTPException(408, "the body did not come in time") from error
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadEnrolmentRequest("the body is no JSON") from error
    if not isinstance(body, dict):
        raise BadEnrolmentRequest("the body must be a JSON object")
    return body


async def _closed_doors(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, EnrolmentRefused)
    headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, TooManyRequests) else {}
    return _problem(error.status, error.problem, str(error), error.remedy, headers)


async def _unavailable(_: Request, error: Exception) -> Response:
    log.error("enrolment.unavailable", extra=fields(error=str(error)))
    detail = "the server cannot look anything up at the moment; nothing was used up"
    return _problem(503, "unavailable", detail, "Try again in a minute.", {"Retry-After": "30"})


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _problem(error.status_code, "bad-request", str(error.detail), "", dict(error.headers or {}))


def _problem(status: int, problem: str, detail: str, remedy: str, headers: dict[str, str]) -> Response:
    body = {
        "type": PROBLEM_TYPE + problem,
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "remedy": remedy,
    }
    return JSONResponse(body, status, headers, media_type="application/problem+json")
