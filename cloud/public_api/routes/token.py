"""Tokens of our own: for machines with credentials, for devices that somebody approved, and their end.

RFC 6749, 4.4 and 5; RFC 8628, 3.4 and 3.5; RFC 7009.
"""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from cloud.identity.pseudonyms import MACHINES
from cloud.identity.values import Identity
from cloud.public_api.adapters.api_clients import knows_client
from cloud.public_api.adapters.device_grants import Approved, Poll, poll_grant
from cloud.public_api.adapters.sessions import NewSession, end_session, open_session
from cloud.public_api.caller import CallerKind
from cloud.public_api.cookies import session_of
from cloud.public_api.desk import AtDesk, Desk
from cloud.public_api.oauth_bodies import REFUSALS, TokenAnswer
from cloud.public_api.oauth_forms import (
    NO_STORE,
    OAuthRefusal,
    credentials,
    form_schema,
    invalid_client,
    read_form,
)
from cloud.public_api.tenants import AtTenant
from cloud.public_api.tries import Try

router = APIRouter(tags=["login"])

DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_WORDS: Final = {
    Poll.PENDING: "nobody has approved the device yet",
    Poll.SLOW_DOWN: "ask less often",
    Poll.DENIED: "the person said no",
    Poll.EXPIRED: "the code's time is over; begin again",
    Poll.UNKNOWN: "there is no such device code, or its token was given out",
}


_FORM: Final = {
    "grant_type": f"`client_credentials`, or `{DEVICE_GRANT}`",
    "client_id": "Of a machine; in place of HTTP Basic",
    "client_secret": "Of a machine; in place of HTTP Basic",
    "device_code": "Of a device, as `POST /v1/device` gave it",
}
_REVOKE: Final = {"token": "One of ours", "token_type_hint": "Not needed; ignored"}


@router.post(
    "/v1/token",
    response_model=TokenAnswer,
    responses=REFUSALS,
    openapi_extra=form_schema(_FORM, "grant_type"),
)
async def get_token(request: Request, desk: AtDesk, tenant: AtTenant) -> Response:
    """Get a token for a machine, or for a device that was approved."""
    # Check 47: guesses at credentials and device codes are few, by address.
    desk.tries.look(Try.CREDENTIALS, tenant, desk.limits.address(request.scope))
    form = read_form(request.headers.get("content-type", ""), await request.body())
    grant = form.get("grant_type")
    if grant == "client_credentials":
        authorization = request.headers.get("authorization")
        secret = await run_in_threadpool(_for_machine, desk, tenant, authorization, form)
    elif grant == DEVICE_GRANT:
        secret = await run_in_threadpool(_for_device, desk, tenant, form.get("device_code", ""))
    else:
        code = "invalid_request" if grant is None else "unsupported_grant_type"
        raise OAuthRefusal(code, "grant_type is `client_credentials` or that of devices")
    answer = TokenAnswer(access_token=secret, expires_in=desk.config.public_api.token_minutes * 60)
    # Check 48 (RFC 6749, 5.1): no cache keeps a token.
    return JSONResponse(answer.model_dump(), headers=NO_STORE)


@router.post(
    "/v1/token/revoke",
    response_model=None,
    response_class=Response,
    responses={200: {"description": "It is over, or never was"}, 400: REFUSALS[400]},
    openapi_extra=form_schema(_REVOKE, "token"),
)
async def revoke_token(request: Request, desk: AtDesk, tenant: AtTenant) -> Response:
    """End a token of ours at once; who holds it may."""
    form = read_form(request.headers.get("content-type", ""), await request.body())
    if "token" not in form:
        raise OAuthRefusal("invalid_request", "token is missing")
    session = session_of(form["token"])
    if session is not None:
        await run_in_threadpool(_end, desk, tenant, session)
    # Check 50 (RFC 7009, 2.2): what is no token is as good as revoked; nobody learns which ones there are.
    return Response(status_code=200, headers=NO_STORE)


def _for_machine(desk: Desk, tenant: str, authorization: str | None, form: Mapping[str, str]) -> str:
    client, secret = credentials(authorization, form)
    user = desk.issuers.user(tenant, Identity(MACHINES, client))
    wanted = NewSession(user, CallerKind.MACHINE, _life_ms(desk), client=client)
    with desk.database.tenant(tenant, read_only=True) as connection:
        known = knows_client(connection, tenant, client, secret)
    if not known:
        raise invalid_client("the credentials are not accepted", basic=authorization is not None)
    with desk.database.tenant(tenant) as connection:
        return open_session(connection, tenant, wanted, desk.now_ms())


def _for_device(desk: Desk, tenant: str, device_code: str) -> str:
    now_ms = desk.now_ms()
    with desk.database.tenant(tenant) as connection:
        found = poll_grant(connection, tenant, device_code, now_ms)
        if isinstance(found, Approved):
            wanted = NewSession(found.user, CallerKind.DEVICE, _life_ms(desk), issuer=found.issuer)
            return open_session(connection, tenant, wanted, now_ms)
    raise OAuthRefusal(str(found), _WORDS[found])


def _life_ms(desk: Desk) -> int:
    return desk.config.public_api.token_minutes * 60_000


def _end(desk: Desk, tenant: str, session: bytes) -> None:
    with desk.database.tenant(tenant) as connection:
        end_session(connection, tenant, session)
