"""A device without a browser shows a code; its owner approves it on a phone (RFC 8628)."""

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from cloud.public_api.adapters.device_grants import (
    INTERVAL_S,
    LIFE_S,
    Approved,
    answer_grant,
    begin_grant,
    waits,
)
from cloud.public_api.adapters.sessions import issuer_of
from cloud.public_api.caller import Caller, CallerKind
from cloud.public_api.desk import AtDesk, Desk
from cloud.public_api.oauth_bodies import DeviceAnswer
from cloud.public_api.pages.rendering import show
from cloud.public_api.problems import Problem, problem
from cloud.public_api.scopes import AtCaller, AtVisitor, csrf_text
from cloud.public_api.tenants import AtTenant
from cloud.public_api.tries import Try
from cloud.public_api.user_codes import shown, typed

router = APIRouter()


@router.post("/v1/device", response_model=DeviceAnswer, tags=["login"])
def begin_device_login(request: Request, desk: AtDesk, tenant: AtTenant) -> Response:
    """Begin a device's login: show the code, then ask `POST /v1/token` until somebody has approved it."""
    desk.tries.count(Try.GRANT, tenant, desk.limits.address(request.scope))
    with desk.database.tenant(tenant) as connection:
        device_code, user_code = begin_grant(connection, tenant, desk.now_ms())
    address = f"{desk.origin(tenant)}/device"
    answer = DeviceAnswer(
        device_code=device_code,
        user_code=shown(user_code),
        verification_uri=address,
        verification_uri_complete=f"{address}?user_code={shown(user_code)}",
        expires_in=LIFE_S,
        interval=INTERVAL_S,
    )
    return JSONResponse(answer.model_dump(), headers={"Cache-Control": "no-store"})


@router.get("/device", include_in_schema=False)
def device_page(
    request: Request,
    desk: AtDesk,
    visitor: AtVisitor,
    user_code: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Where the code is typed, and looked at once more before anything is allowed."""
    if visitor is None:
        here = f"/device?user_code={quote(user_code)}" if user_code else "/device"
        return RedirectResponse(f"/login?goal={quote(here, safe='')}", 303)
    if not user_code:
        return show(request, "device.html", step="type", code="", csrf="", wrong=False)
    try:
        code = _known_code(desk, visitor, user_code)
    except Problem as error:
        return _busy(request, error)
    if code is None:
        return show(request, "device.html", step="type", code=user_code, csrf="", wrong=True)
    return show(
        request, "device.html", step="confirm", code=shown(code), csrf=csrf_text(visitor), wrong=False
    )


@router.post("/device", include_in_schema=False)
def decide(
    request: Request,
    desk: AtDesk,
    caller: AtCaller,
    user_code: Annotated[str, Form(max_length=40)],
    answer: Annotated[Literal["yes", "no"], Form()],
) -> Response:
    """Approve the device, or refuse it."""
    # Check 44 (RFC 8628, 5.4): only a person in a browser approves, on a page of ours that shows the code;
    # no token can make another one.
    if caller.kind is not CallerKind.BROWSER or caller.session is None:
        raise problem("not-genuine", "only a person in a browser may approve a device")
    try:
        code = _known_code(desk, caller, user_code)
    except Problem as error:
        return _busy(request, error)
    done = code is not None and _answer(desk, caller, caller.session, code, yes=answer == "yes")
    if not done:
        return show(request, "device.html", step="type", code="", csrf="", wrong=True)
    step = "done" if answer == "yes" else "denied"
    return show(request, "device.html", step=step, code="", csrf="", wrong=False)


def _known_code(desk: Desk, caller: Caller, text: str) -> str | None:
    """The code, if a device waits with it; else it counts as a wrong one (check 40)."""
    desk.tries.look(Try.USER_CODE, caller.tenant, caller.user)
    code = typed(text)
    if code is not None:
        with desk.database.tenant(caller.tenant, read_only=True) as connection:
            if waits(connection, caller.tenant, code, desk.now_ms()):
                return code
    desk.tries.wrong(Try.USER_CODE, caller.tenant, caller.user)
    return None


def _answer(desk: Desk, caller: Caller, session: bytes, code: str, *, yes: bool) -> bool:
    with desk.database.tenant(caller.tenant) as connection:
        approved = Approved(caller.user, issuer_of(connection, caller.tenant, session)) if yes else None
        return answer_grant(connection, caller.tenant, code, approved, desk.now_ms())


def _busy(request: Request, error: Problem) -> Response:
    request.state.problem = error.kind.slug
    page = show(request, "failure.html", status=error.kind.status, failure="busy")
    page.headers.update(error.headers)
    return page
