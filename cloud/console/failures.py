"""What a page says when it cannot be shown: words for people, RFC 9457 for programs."""

import logging
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from cloud.console.errors import NotLoggedIn, PageError
from cloud.console.rendering import show
from cloud.errors import DatabaseAway
from cloud.identity.errors import LoginFailed, ProviderAway
from cloud.principal import NotAllowed
from daemon.log_fields import fields
from wire_protocol.errors import OperatorError

log = logging.getLogger(__name__)

PROBLEM_TYPE: Final = "urn:topscoop:console:"
_TITLES: Final = {
    404: ("Not found", "There is no such page.", "Look at the address, or go on from the navigation."),
    405: ("Not possible here", "This address does not take that.", "Go on from the navigation."),
}


def add_failures(app: FastAPI) -> None:
    """Give every kind of failure its page."""
    app.add_exception_handler(PageError, _page_error)
    app.add_exception_handler(LoginFailed, _login_failed)
    app.add_exception_handler(ProviderAway, _provider_away)
    app.add_exception_handler(NotAllowed, _not_allowed)
    app.add_exception_handler(OperatorError, _refused)
    app.add_exception_handler(DatabaseAway, _unavailable)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _broken)


def failure(request: Request, status: int, title: str, words: str, remedy: str = "") -> Response:
    """The page or the document that says so."""
    if wants_json(request):
        body = {
            "type": PROBLEM_TYPE + title.lower().replace(" ", "-"),
            "title": title,
            "status": status,
            "detail": words,
            "remedy": remedy,
        }
        return JSONResponse(body, status, media_type="application/problem+json")
    return show(request, "failure.html", status=status, title=title, words=words, remedy=remedy, code=status)


def wants_json(request: Request) -> bool:
    """Whether a program asks; a browser's navigation names text/html first."""
    accepted = request.headers.get("accept", "")
    return "json" in accepted and "text/html" not in accepted


async def _page_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PageError)
    if isinstance(error, NotLoggedIn) and request.method == "GET" and not _in_background(request):
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?goal={quote(here, safe='/')}", 303)
    if error.status == 403:
        log.warning("console.refused", extra=fields(path=request.url.path, reason=str(error)))
    return failure(request, error.status, error.title, _sentence(error), error.remedy)


async def _login_failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, LoginFailed)
    return failure(request, 400, "The login did not work", _sentence(error), error.remedy)


async def _provider_away(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProviderAway)
    title = "The identity provider does not answer"
    return failure(request, 503, title, _sentence(error), error.remedy)


async def _not_allowed(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotAllowed)
    log.warning("console.refused", extra=fields(path=request.url.path, reason=str(error)))
    return failure(request, 403, "Your role does not allow this", _sentence(error), error.remedy)


async def _refused(request: Request, error: Exception) -> Response:
    """What the rules refused: nothing was changed."""
    assert isinstance(error, OperatorError)
    return failure(request, 409, "That was not done", _sentence(error), error.remedy)


async def _unavailable(request: Request, error: Exception) -> Response:
    log.error("console.unavailable", extra=fields(error=str(error)))
    words = "The database does not answer at the moment. Nothing was changed."
    return failure(request, 503, "Please wait a moment", words, "Load the page again in a minute.")


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    names = ", ".join(sorted({str(one["loc"][-1]) for one in error.errors()}))
    return failure(
        request, 400, "That cannot be read", f"Something is missing or wrong: {names}.", "Correct it there."
    )


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title, words, remedy = _TITLES.get(error.status_code, ("That did not work", str(error.detail), ""))
    return failure(request, error.status_code, title, words, remedy)


async def _broken(request: Request, error: Exception) -> Response:
    log.error("console.failed", extra=fields(path=request.url.path), exc_info=error)
    words = "Something is broken on our side, not on yours. Whoever runs this console finds it in its log."
    return failure(
        request, 500, "An error of ours", words, "Try it again; if it stays so, tell them when it was."
    )


def _in_background(request: Request) -> bool:
    """Whether a script asks: a login page would not help it."""
    return wants_json(request) or "text/event-stream" in request.headers.get("accept", "")


def _sentence(error: Exception) -> str:
    words = str(error)
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")
