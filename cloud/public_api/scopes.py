"""A route's signature names its scope: `caller: AtCaller` is somebody of the host's chain, authenticated.

Nothing but the host says which chain: a credential of another one is unknown here.
"""

import hmac
import logging
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from cloud.identity.encoding import base64url
from cloud.identity.errors import LoginFailed, ProviderAway, TokenRefused
from cloud.public_api.adapters.sessions import SEEN_EVERY_MS, FoundSession, find_session, saw_session
from cloud.public_api.caller import Caller, CallerKind
from cloud.public_api.desk import AtDesk, Desk
from cloud.public_api.problems import Problem, problem
from cloud.public_api.tenants import AtTenant
from daemon.log_fields import fields

log = logging.getLogger(__name__)

CSRF_HEADER: Final = "x-csrf-token"
CSRF_FIELD: Final = "csrf"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_COOKIE_KINDS: Final = frozenset({CallerKind.BROWSER})
_TOKEN_KINDS: Final = frozenset({CallerKind.DEVICE, CallerKind.MACHINE})
_FORM: Final = "application/x-www-form-urlencoded"


async def caller_of(request: Request, desk: AtDesk, tenant: AtTenant) -> Caller:
    """Who calls.

    Raises:
        Problem: `not-authenticated`, `bad-token`, `not-genuine`, `provider-away`; `malformed` where cookie
            and token come together.
    """
    cookie = request.cookies.get(desk.cookies.session)
    authorization = request.headers.get("authorization")
    # Check 34 (RFC 6750, 2): one credential a request. With both, one of them would go unlooked at.
    if cookie is not None and authorization is not None:
        raise problem("malformed", "send the session's cookie or a token, not both")
    if authorization is not None:
        kind, _, secret = authorization.partition(" ")
        if kind.lower() != "bearer" or not secret:
            raise problem("not-authenticated", "there is no bearer token", headers=_CHALLENGE)
        return await run_in_threadpool(_of_token, desk, tenant, secret.strip())
    found = None if cookie is None else await run_in_threadpool(_of_cookie, desk, tenant, cookie)
    if found is None:
        detail = "there is no token" if cookie is None else "the session has ended"
        raise problem("not-authenticated", detail, headers=_CHALLENGE)
    await genuine(request, desk, found)
    return found


async def counted(request: Request, desk: AtDesk, caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
    """Who calls, and may. Raises Problem `too-many-requests`."""
    await desk.limits.request_of(request.scope, caller)
    return caller


AtCaller = Annotated[Caller, Depends(counted)]
"""Type of a route's parameter `caller`."""


async def visitor_of(request: Request, desk: AtDesk, tenant: AtTenant) -> Caller | None:
    """Whose browser shows a page; None where nobody is logged in there. For pages that only show."""
    cookie = request.cookies.get(desk.cookies.session)
    return None if cookie is None else await run_in_threadpool(_of_cookie, desk, tenant, cookie)


AtVisitor = Annotated[Caller | None, Depends(visitor_of)]
"""Type of a page's parameter `visitor`."""


async def genuine(request: Request, desk: Desk, caller: Caller) -> None:
    """Let through what reads, and what comes from our own pages.

    Raises:
        Problem: `not-genuine`.
    """
    if request.method in _SAFE:
        return
    # Check 39a (Fetch Metadata): the browser itself says whose page it was.
    site = request.headers.get("sec-fetch-site")
    # Check 39b (RFC 6454, 7.3): and so does Origin, which stands in every such request of a browser.
    origin = request.headers.get("origin", "")
    if site not in {None, "same-origin"} or origin.lower() != desk.origin(caller.tenant):
        raise problem("not-genuine", "a page of another origin sent it, or none did")
    # Check 39c: the session's own token, which no other origin can read.
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.headers.get("content-type", "").lower().startswith(_FORM):
        given = str((await request.form()).get(CSRF_FIELD, ""))
    if not hmac.compare_digest((given or "").encode(), csrf_text(caller).encode()):
        raise problem("not-genuine", "the session's own token is missing; `GET /v1/me` gives it")


def csrf_text(caller: Caller) -> str:
    """What a browser's changing requests carry, in `X-CSRF-Token` or the form field `csrf`; "" for others."""
    return "" if caller.csrf is None else base64url(caller.csrf)


def _of_cookie(desk: Desk, tenant: str, secret: str) -> Caller | None:
    found = _session(desk, tenant, secret, _COOKIE_KINDS)
    return None if found is None else found.caller


def _of_token(desk: Desk, tenant: str, text: str) -> Caller:
    # A token of our own is one word; one of a provider's own has dots.
    if "." not in text:
        found = _session(desk, tenant, text, _TOKEN_KINDS)
        if found is None:
            raise _bad_token("the token is unknown or over")
        return found.caller
    try:
        identity = desk.issuers.bearer(tenant, text)
    except TokenRefused as error:
        log.info("api.token_refused", extra=fields(tenant=tenant, check=error.check))
        raise _bad_token(f"{error} (check {error.check})") from error
    except (ProviderAway, LoginFailed) as error:
        log.warning("api.provider_away", extra=fields(tenant=tenant, error=str(error)))
        raise problem(
            "provider-away", "its keys cannot be asked for", headers={"Retry-After": "60"}
        ) from error
    return Caller(tenant, desk.issuers.user(tenant, identity), CallerKind.BEARER)


def _session(desk: Desk, tenant: str, secret: str, kinds: frozenset[CallerKind]) -> FoundSession | None:
    now_ms = desk.now_ms()
    idle_ms = desk.config.public_api.idle_minutes * 60_000
    with desk.database.tenant(tenant, read_only=True) as connection:
        found = find_session(connection, tenant, secret, kinds, now_ms=now_ms, idle_ms=idle_ms)
    if found is not None and found.caller.session is not None and now_ms - found.seen_at_ms >= SEEN_EVERY_MS:
        with desk.database.tenant(tenant) as connection:
            saw_session(connection, tenant, found.caller.session, now_ms)
    return found


def _bad_token(detail: str) -> Problem:
    return problem("bad-token", detail, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
