"""A route's signature names its scope: `caller: AtCaller` is somebody of the host's chain, authenticated."""

import hashlib
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import select

from cloud.database.schema import api_sessions
from cloud.public_api.caller import Caller, CallerKind
from cloud.public_api.desk import AtDesk
from cloud.public_api.problems import problem
from cloud.public_api.tenants import AtTenant


def caller_of(request: Request, desk: AtDesk, tenant: AtTenant) -> Caller:
    """Who calls. Raises Problem `not-authenticated`, `bad-token`."""
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if not secret or kind.lower() != "bearer":
        raise problem("not-authenticated", "there is no token", headers={"WWW-Authenticate": "Bearer"})
    session = hashlib.sha256(secret.encode()).digest()
    row = api_sessions.c
    statement = select(row.kind, row.user, row.csrf).where(
        row.tenant == tenant, row.session == session, row.ends_at_ms > desk.now_ms()
    )
    with desk.database.tenant(tenant, read_only=True) as connection:
        found = connection.execute(statement).first()
    if found is None:
        raise problem(
            "bad-token",
            "the token is unknown or over",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    return Caller(tenant, found.user, CallerKind(found.kind), session, found.csrf)


async def counted(request: Request, desk: AtDesk, caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
    """Who calls, and may. Raises Problem `too-many-requests`."""
    await desk.limits.request_of(request.scope, caller)
    return caller


AtCaller = Annotated[Caller, Depends(counted)]
"""Type of a route's parameter `caller`."""
