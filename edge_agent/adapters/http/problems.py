"""Errors as RFC 9457 problem details: what happened, and what to do next, in one JSON object."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from edge_agent.errors import (
    BadRequestError,
    ConflictError,
    JournalError,
    ModelRefusedError,
    NoBlanksError,
    NoHandoverError,
    NothingToAnswerError,
    RequestError,
    TooManySubscribersError,
    UnknownFlavourError,
    UnknownInteractionError,
    UnknownNoticeError,
    WithdrawalRefusedError,
)
from edge_agent.updates.errors import StateError
from edge_agent.uplink.errors import SpoolError
from wire_protocol.errors import TopscoopError

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:topscoop:problem:"
_MAX_NAMED_FAULTS = 5

_SLUGS: Mapping[type[TopscoopError], tuple[str, HTTPStatus]] = {
    UnknownInteractionError: ("unknown-interaction", HTTPStatus.NOT_FOUND),
    ConflictError: ("conflict", HTTPStatus.CONFLICT),
    UnknownFlavourError: ("unknown-flavour", HTTPStatus.UNPROCESSABLE_ENTITY),
    JournalError: ("journal-unavailable", HTTPStatus.SERVICE_UNAVAILABLE),
    BadRequestError: ("impossible-request", HTTPStatus.UNPROCESSABLE_ENTITY),
    ModelRefusedError: ("model-refused", HTTPStatus.UNPROCESSABLE_ENTITY),
    TooManySubscribersError: ("too-many-listeners", HTTPStatus.SERVICE_UNAVAILABLE),
    NoHandoverError: ("no-handover", HTTPStatus.SERVICE_UNAVAILABLE),
    NothingToAnswerError: ("nothing-to-answer", HTTPStatus.CONFLICT),
    UnknownNoticeError: ("unknown-notice", HTTPStatus.UNPROCESSABLE_ENTITY),
    NoBlanksError: ("no-consent-blanks", HTTPStatus.SERVICE_UNAVAILABLE),
    WithdrawalRefusedError: ("wrong-withdrawal-code", HTTPStatus.FORBIDDEN),
    SpoolError: ("spool-unavailable", HTTPStatus.SERVICE_UNAVAILABLE),
    StateError: ("releases-unavailable", HTTPStatus.SERVICE_UNAVAILABLE),
}
"""The first class that an error belongs to names its problem."""
_SERVER_SLUGS: Mapping[int, str] = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large"}
"""What the server itself refuses. Our own names: Python's change from version to version."""


class Problem(Exception):
    """Raise to answer with this problem."""

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        *,
        remedy: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.detail = detail
        self.remedy = remedy
        self.headers = headers


def problem_body(status: int, slug: str, detail: str, remedy: str) -> bytes:
    """The JSON of a problem; `type` is a name, not an address: nothing needs to be fetched to read it."""
    members = {
        "type": TYPE_PREFIX + slug,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if remedy:
        members["remedy"] = remedy
    return orjson.dumps(members)


def problem_response(problem: Problem) -> Response:
    """The HTTP answer for a problem."""
    return Response(
        problem_body(problem.status, problem.slug, problem.detail, problem.remedy),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=dict(problem.headers) if problem.headers else None,
    )


def from_error(error: TopscoopError) -> Problem:
    """The problem that an error of the agent is to a client."""
    for kind, (slug, status) in _SLUGS.items():
        if isinstance(error, kind):
            return Problem(status, slug, str(error), remedy=error.remedy)
    if isinstance(error, RequestError):
        return Problem(error.status, "refused-request", str(error), remedy=error.remedy)
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", str(error), remedy=error.remedy)


def from_faults(faults: Sequence[Mapping[str, object]]) -> Problem:
    """The problem that a body with these validation faults (as pydantic lists them) is."""
    named = [_plain_words(fault) for fault in faults[:_MAX_NAMED_FAULTS]]
    if len(faults) > _MAX_NAMED_FAULTS:
        named.append(f"and {len(faults) - _MAX_NAMED_FAULTS} more")
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-body",
        "The request does not fit: " + "; ".join(named) + ".",
        remedy="Compare it with the operation in /docs; names and types must match exactly.",
    )


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem."""

    async def on_problem(_: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return problem_response(error)

    async def on_topscoop_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, TopscoopError)
        return problem_response(from_error(error))

    async def on_faults(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError | ValidationError)
        return problem_response(from_faults(error.errors()))

    async def on_http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status = HTTPStatus(error.status_code)
        detail = _ROUTING_WORDS.get(status, str(error.detail))
        slug = _SERVER_SLUGS.get(status, "refused-request")
        return problem_response(
            Problem(status, slug, detail, remedy="/docs lists what there is.", headers=error.headers)
        )

    async def on_anything(_: Request, _error: Exception) -> Response:
        # The server logs the traceback; the client learns only that it was not its fault.
        return problem_response(
            Problem(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "internal-error",
                "The agent failed on this request; it goes on with the next.",
                remedy="Look for `request.failed` in the agent's log.",
            )
        )

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(TopscoopError, on_topscoop_error)
    app.add_exception_handler(RequestValidationError, on_faults)
    app.add_exception_handler(ValidationError, on_faults)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_anything)


_ROUTING_WORDS = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take that method.",
}


def _plain_words(fault: Mapping[str, object]) -> str:
    """One fault as a phrase: `lines.0.quantity must be at least 1`."""
    location = fault.get("loc", ())
    parts = [str(part) for part in location] if isinstance(location, tuple | list) else []
    if parts and parts[0] in {"body", "header", "path", "query"}:
        parts = parts[1:] or ["the body" if parts[0] == "body" else parts[0]]
    where = ".".join(parts) or "the body"
    match fault.get("type"):
        case "missing":
            return f"`{where}` is missing"
        case "extra_forbidden":
            return f"`{where}` is not known here"
        case "json_invalid":
            return "the body is no valid JSON"
        case _:
            message = str(fault.get("msg", "is wrong"))
            return f"`{where}`: {message[:1].lower()}{message[1:]}"
