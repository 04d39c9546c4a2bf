"""A route's signature names its scope: `principal: Annotated[Principal, Viewer]`.

A form (any method that changes something) must come from a page of this console, with its session's token;
that is checked for every route at once, see `app`.
"""

import hmac
from typing import Annotated, Final

from fastapi import Depends, Request

from cloud.console.desk import AtDesk
from cloud.console.errors import ForgedRequest, NotLoggedIn
from cloud.console.values import Visit
from cloud.principal import Principal, Role

CSRF_FIELD: Final = "csrf"
LIVE_PATH: Final = "/live"
"""Asked for by a page that is open, not by a person."""
CSRF_HEADER: Final = "x-csrf-token"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def visit_of(request: Request, desk: AtDesk) -> Visit | None:
    """Who asks; None where nobody is logged in. FastAPI asks once a request; the templates read it, too."""
    cookie = request.cookies.get(desk.cookies.session, "")
    found = desk.sessions.find(cookie, touch=request.url.path != LIVE_PATH)
    request.state.visit = found
    return found


AnyVisit = Annotated[Visit | None, Depends(visit_of)]


def logged_in(visit: AnyVisit) -> Visit:
    """Who asks. Raises NotLoggedIn."""
    if visit is None:
        raise NotLoggedIn(
            "your session has ended, or you have not logged in", remedy="Log in; you come back here."
        )
    return visit


LoggedIn = Annotated[Visit, Depends(logged_in)]


def viewer(visit: LoggedIn) -> Principal:
    """Anybody of the chain."""
    visit.principal.require(Role.VIEWER)
    return visit.principal


def operator(visit: LoggedIn) -> Principal:
    """Who may change things. Raises NotAllowed."""
    visit.principal.require(Role.OPERATOR)
    return visit.principal


def admin(visit: LoggedIn) -> Principal:
    """Who may stop everything. Raises NotAllowed."""
    visit.principal.require(Role.ADMIN)
    return visit.principal


Viewer = Depends(viewer)
Operator = Depends(operator)
Admin = Depends(admin)


async def genuine(request: Request, desk: AtDesk, visit: AnyVisit) -> None:
    """Let through what reads, and what comes from our own pages; of every route (T24).

    Raises:
        ForgedRequest: A page of another origin sent it, or the session's token is not in it.
    """
    if request.method in _SAFE:
        return
    # 1. Fetch metadata: the browser itself says whose page it was. `none` would be the address bar, which
    #    sends no forms.
    site = request.headers.get("sec-fetch-site")
    # 2. Origin stands in every POST of a browser; `null` is a sandboxed page or a redirect from elsewhere.
    origin = request.headers.get("origin")
    if site not in {None, "same-origin"} or origin is None or origin.lower() != desk.origin:
        raise ForgedRequest(
            "this form was not sent by a page of this console", remedy="Open the page here again."
        )
    # 3. The session's own token, which no other origin can read.
    if visit is None:
        raise NotLoggedIn("your session has ended; nothing was changed", remedy="Log in and do it again.")
    given = request.headers.get(CSRF_HEADER) or str((await request.form()).get(CSRF_FIELD, ""))
    if not hmac.compare_digest(given.encode(), visit.csrf.encode()):
        raise ForgedRequest(
            "this form is of another session; nothing was changed", remedy="Load the page again."
        )
