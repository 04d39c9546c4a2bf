"""Login at an identity provider of the chain, and logout. Nothing is registered, nothing typed here."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from cloud.identity.code_flow import LOGIN_MINUTES
from cloud.identity.errors import LoginFailed, ProviderAway
from cloud.identity.local_path import local_path
from cloud.identity.values import Identity, Issuer, LoginAttempt
from cloud.public_api.adapters.sessions import NewSession, end_session, open_session
from cloud.public_api.caller import CallerKind
from cloud.public_api.cookies import session_of
from cloud.public_api.desk import AtDesk, Desk
from cloud.public_api.login_choices import login_choices
from cloud.public_api.pages.rendering import show
from cloud.public_api.problems import Problem
from cloud.public_api.scopes import AtCaller, AtVisitor
from cloud.public_api.tenants import AtTenant
from cloud.public_api.tries import Try
from daemon.log_fields import fields

router = APIRouter(include_in_schema=False)
log = logging.getLogger(__name__)

HOME: Final = "/try"


@router.get("/login")
def login_page(
    request: Request, desk: AtDesk, tenant: AtTenant, visitor: AtVisitor, goal: str = HOME
) -> Response:
    """Says where one logs in; nothing begins before somebody asks for it."""
    if visitor is not None:
        return RedirectResponse(local_path(goal, HOME), 303)
    return show(request, "login.html", issuers=login_choices(desk, tenant), goal=local_path(goal, HOME))


@router.get("/login/{key}")
async def begin(request: Request, desk: AtDesk, tenant: AtTenant, key: str, goal: str = HOME) -> Response:
    """To the identity provider."""
    return await _asking(request, desk, tenant, partial(_begin, request, desk, tenant, key, goal))


@router.get("/login/callback/{key}")
async def callback(request: Request, desk: AtDesk, tenant: AtTenant, key: str) -> Response:
    """Back from the identity provider: a session."""
    return await _asking(request, desk, tenant, partial(_finish, request, desk, tenant, key))


@router.post("/logout")
def logout(desk: AtDesk, caller: AtCaller) -> Response:
    """End the session, here and for whoever copied its cookie or token."""
    if caller.session is not None:
        with desk.database.tenant(caller.tenant) as connection:
            end_session(connection, caller.tenant, caller.session)
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(desk.cookies.session, path="/", secure=desk.cookies.secure, httponly=True)
    # What this origin left in the browser goes, too.
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


async def _asking(request: Request, desk: Desk, tenant: str, work: Callable[[], Response]) -> Response:
    """What `work` answers, which asks the provider: that may take long, and is the business of its chain."""
    try:
        return await desk.errands.run(request.state.place, tenant, work)
    except (LoginFailed, ProviderAway, Problem) as error:
        return await run_in_threadpool(_failed, request, tenant, error)


def _begin(request: Request, desk: Desk, tenant: str, key: str, goal: str) -> Response:
    # Check 49: an address begins only so many logins a minute; each may cost a request to the provider.
    desk.tries.count(Try.LOGIN, tenant, desk.limits.address(request.scope))
    found = desk.issuers.flow(tenant, key, _callback(desk, tenant, key), HOME)
    if found is None:
        return show(request, "failure.html", status=404, failure="missing")
    attempt, url = found[1].begin(goal)
    answer = RedirectResponse(url, 303)
    _keep(answer, desk, desk.cookies.login, attempt.text(), LOGIN_MINUTES * 60)
    return answer


def _finish(request: Request, desk: Desk, tenant: str, key: str) -> Response:
    attempt = LoginAttempt.parse(request.cookies.get(desk.cookies.login, ""))
    desk.tries.count(Try.LOGIN, tenant, desk.limits.address(request.scope))
    found = desk.issuers.flow(tenant, key, _callback(desk, tenant, key), HOME)
    if found is None:
        return show(request, "failure.html", status=404, failure="missing")
    issuer, flow = found
    identity = flow.finish(attempt, _answer(request))
    assert attempt is not None, "finish refuses what was never begun"
    secret = _open(request, desk, tenant, issuer, identity)
    answer = RedirectResponse(local_path(attempt.goal, HOME), 303)
    _keep(answer, desk, desk.cookies.session, secret, None)
    answer.delete_cookie(desk.cookies.login, path="/", secure=desk.cookies.secure, httponly=True)
    log.info("api.logged_in", extra=fields(tenant=tenant, issuer=identity.issuer))
    return answer


def _open(request: Request, desk: Desk, tenant: str, issuer: Issuer, identity: Identity) -> str:
    now_ms = desk.now_ms()
    wanted = NewSession(
        user=desk.issuers.user(tenant, identity),
        kind=CallerKind.BROWSER,
        life_ms=desk.config.public_api.session_hours * 3_600_000,
        issuer=issuer.issuer if issuer.stored else None,
    )
    old = session_of(request.cookies.get(desk.cookies.session, ""))
    with desk.database.tenant(tenant) as connection:
        if old is not None:
            end_session(connection, tenant, old)
        return open_session(connection, tenant, wanted, now_ms)


def _answer(request: Request) -> dict[str, str]:
    """What the provider sent; a parameter that stands twice could be read in two ways (RFC 6749, 3.1)."""
    pairs = request.query_params.multi_items()
    found = dict(pairs)
    if len(found) != len(pairs):
        raise LoginFailed("a parameter of the answer stands twice")
    return found


def _callback(desk: Desk, tenant: str, key: str) -> str:
    # Check 10 (RFC 9700, 4.4.2.2): each provider has an address of its own to send browsers back to, so that
    # one cannot pass on what another one answered (mix-up).
    return f"{desk.origin(tenant)}/login/callback/{key}"


def _failed(request: Request, tenant: str, error: LoginFailed | ProviderAway | Problem) -> Response:
    if isinstance(error, Problem):
        request.state.problem = error.kind.slug
        shown = show(request, "failure.html", status=error.kind.status, failure="busy")
        shown.headers.update(error.headers)
        return shown
    away = isinstance(error, ProviderAway)
    request.state.problem = "provider-away" if away else "login-failed"
    log.warning("api.login_failed", extra=fields(tenant=tenant, reason=str(error)))
    return show(request, "failure.html", status=503 if away else 400, failure="provider" if away else "login")


def _keep(answer: Response, desk: Desk, name: str, value: str, max_age_s: int | None) -> None:
    # Check 35 (RFC 6265bis, 4.1.2): not for scripts, not over http, not with requests of other sites. Lax and
    # not Strict: who comes back from the provider, or by a link, must find it; `genuine` guards the rest.
    answer.set_cookie(
        name,
        value,
        max_age=max_age_s,
        path="/",
        secure=desk.cookies.secure,
        httponly=True,
        samesite="lax",
    )
