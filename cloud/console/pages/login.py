"""Login, logout, and which of several chains."""

import logging
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from cloud.console.adapters.operators import chains_of, find_operator
from cloud.console.cookies import SessionCookie
from cloud.console.desk import AtDesk, Desk
from cloud.console.errors import UnknownOperator
from cloud.console.local_path import HOME, local_path
from cloud.console.rendering import show
from cloud.console.scopes import AnyVisit, LoggedIn
from cloud.database.audit_log import write_audit
from cloud.identity.code_flow import LOGIN_MINUTES
from cloud.identity.values import Identity, LoginAttempt
from daemon.log_fields import fields

router = APIRouter()
log = logging.getLogger(__name__)


@router.get("/")
def home() -> Response:
    """The first page."""
    return RedirectResponse(HOME, 303)


@router.get("/login")
def login_page(request: Request, desk: AtDesk, visit: AnyVisit, goal: str = HOME) -> Response:
    """Says where one logs in; nothing begins before somebody asks for it."""
    if visit is not None:
        return RedirectResponse(local_path(goal), 303)
    return show(request, "login.html", issuer=desk.login.issuer, goal=local_path(goal))


@router.get("/login/begin")
def begin(desk: AtDesk, goal: str = HOME) -> Response:
    """To the identity provider."""
    attempt, url = desk.login.begin(goal)
    answer = RedirectResponse(url, 303)
    _keep(answer, desk, desk.cookies.login, attempt.text(), LOGIN_MINUTES * 60)
    return answer


@router.get("/login/callback")
def callback(request: Request, desk: AtDesk) -> Response:
    """Back from the identity provider: a session, for who is an operator of a chain."""
    attempt = LoginAttempt.parse(request.cookies.get(desk.cookies.login, ""))
    identity = desk.login.finish(attempt, dict(request.query_params))
    assert attempt is not None, "finish refuses what was never begun"
    chains = chains_of(desk.database, identity.issuer, identity.subject)
    if not chains:
        log.warning("console.unknown_operator", extra=fields(issuer=identity.issuer))
        raise UnknownOperator(
            f"{identity.name} ({identity.subject}) is known to {identity.issuer}, and to no chain here",
            remedy="Ask an admin of your chain to add you: topscoop cloud operator add.",
        )
    cookie = _enter(request, desk, identity, chains[0].tenant)
    answer = RedirectResponse("/chains" if len(chains) > 1 else local_path(attempt.goal), 303)
    _keep(answer, desk, desk.cookies.session, cookie.text(), None)
    answer.delete_cookie(desk.cookies.login, path="/", secure=desk.cookies.secure, httponly=True)
    log.info("console.logged_in", extra=fields(tenant=cookie.tenant))
    return answer


@router.get("/chains")
def chains_page(request: Request, desk: AtDesk, visit: LoggedIn) -> Response:
    """The chains that this person may enter."""
    identity = desk.sessions.identity(visit)
    return show(request, "chains.html", chains=chains_of(desk.database, identity.issuer, identity.subject))


@router.post("/chains")
def switch(request: Request, desk: AtDesk, visit: LoggedIn, tenant: Annotated[str, Form()]) -> Response:
    """Go over to another chain, in a new session."""
    identity = desk.sessions.identity(visit)
    known = {chain.tenant for chain in chains_of(desk.database, identity.issuer, identity.subject)}
    if tenant not in known:
        raise UnknownOperator(
            f"{identity.name} is no operator of that chain", remedy="Ask one of its admins."
        )
    cookie = _enter(request, desk, identity, tenant)
    answer = RedirectResponse(HOME, 303)
    _keep(answer, desk, desk.cookies.session, cookie.text(), None)
    return answer


@router.post("/logout")
def logout(request: Request, desk: AtDesk, visit: LoggedIn) -> Response:
    """End the session, here and for whoever copied its cookie."""
    principal = visit.principal
    desk.sessions.close(request.cookies.get(desk.cookies.session, ""))
    with desk.database.tenant(principal.tenant) as connection:
        write_audit(
            connection,
            principal.tenant,
            desk.now_ms(),
            actor=f"operator:{principal.name}",
            action="operator.logged_out",
            subject=principal.operator.hex(),
        )
    answer = RedirectResponse("/logged-out", 303)
    answer.delete_cookie(desk.cookies.session, path="/", secure=desk.cookies.secure, httponly=True)
    # What this origin left in the browser goes, too.
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@router.get("/logged-out")
def logged_out(request: Request, desk: AtDesk) -> Response:
    """Says so, and that the identity provider may still know the person."""
    return show(request, "logged_out.html", end_url=desk.login.end_url())


def _enter(request: Request, desk: Desk, identity: Identity, tenant: str) -> SessionCookie:
    with desk.database.tenant(tenant, read_only=True) as connection:
        operator = find_operator(connection, tenant, identity.issuer, identity.subject)
    if operator is None:
        raise UnknownOperator(
            f"{identity.name} was just removed from that chain", remedy="Ask one of its admins."
        )
    return desk.sessions.open(operator, instead_of=request.cookies.get(desk.cookies.session))


def _keep(answer: Response, desk: Desk, name: str, value: str, max_age_s: int | None) -> None:
    # Lax, not Strict: a link in a colleague's message must find the session. Forms are guarded by `genuine`.
    answer.set_cookie(
        name,
        value,
        max_age=max_age_s,
        path="/",
        secure=desk.cookies.secure,
        httponly=True,
        samesite="lax",
    )
