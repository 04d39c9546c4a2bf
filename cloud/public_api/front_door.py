"""What holds for every request and answer: its chain, its size, its id, and the headers of each answer."""

import asyncio
import logging
import uuid
from collections.abc import Mapping
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.errors import DatabaseAway
from cloud.public_api import failures
from cloud.public_api.limits import Limits, headers_of
from cloud.public_api.problems import Problem, problem
from cloud.public_api.tenants import Tenants
from cloud.public_api.turnstile import Turnstile
from daemon.log_fields import fields

log = logging.getLogger(__name__)

BODY_MAX_BYTES: Final = 16 * 1024
"""The longest request, an upload with its consent and context, has a quarter of it; pictures go to S3."""
BODY_TIMEOUT_S: Final = 10
POLICY: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Of documents; the pages bring their own."""
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # What may be kept by others says so itself.
    "Cache-Control": "no-store",
}
HSTS: Final = "max-age=31536000"


class FrontDoor:
    """Lets in what is for a chain and small enough, chain by chain, and gives every answer its headers.

    Args:
        app: What answers; it finds `tenant`, `request_id` and `place` in `request.state`.
        tenants: Which chains there are.
        limits: Who may ask now.
        turnstile: Lets chains in by turns.
    """

    def __init__(self, app: ASGIApp, tenants: Tenants, limits: Limits, turnstile: Turnstile) -> None:
        self._app = app
        self._tenants = tenants
        self._limits = limits
        self._turnstile = turnstile
        self._headers = dict(HEADERS)
        if tenants.hosts.secure:
            self._headers["Strict-Transport-Security"] = HSTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = str(uuid.uuid4())

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                if "place" in state:
                    state["place"].leave()  # the work is done; a slow reader holds nobody up
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                for name, value in headers_of(state.get("allowances", {})).items():
                    headers.setdefault(name, value)
                headers["X-Request-Id"] = state["request_id"]
            await send(message)

        try:
            state["tenant"] = await self._tenant(scope)
            await self._limits.admit(scope, state["tenant"])
            _check_length(scope)
            receive = await _with_body(receive)
            place = state["place"] = await self._turnstile.enter(state["tenant"])
        except Problem as refused:
            state["problem"] = refused.kind.slug
            scope["app"] = self._app  # where a page finds the desk
            await failures.answer(refused, Request(scope))(scope, receive, sending)
            return
        try:
            await self._app(scope, receive, sending)
        except Exception:
            # The framework raises again what it has answered and logged as `internal`.
            if state.get("problem") != "internal":
                raise
        finally:
            place.leave()

    async def _tenant(self, scope: Scope) -> str:
        try:
            tenant = await self._tenants.of_host(_host(scope))
        except DatabaseAway as error:
            log.error("api.unavailable", extra=fields(error=str(error)))  # noqa: TRY400 - it says what is away
            raise problem(
                "not-ready", "the database does not answer", headers={"Retry-After": "5"}
            ) from error
        if tenant is None:
            raise problem("unknown-chain", "the host of this address belongs to no chain")
        return tenant


def _host(scope: Scope) -> str:
    named = [value for name, value in scope["headers"] if name == b"host"]
    return str(named[0].decode("latin-1")) if len(named) == 1 else ""


async def _with_body(receive: Receive) -> Receive:
    """What gives the whole body at once: a slow sender holds no place.

    Raises:
        Problem: `malformed`: it took too long.
    """
    parts: list[bytes] = []
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            while True:
                message = await receive()
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        raise problem("malformed", f"the body did not come within {BODY_TIMEOUT_S} s") from None
    first: list[Message] = [{"type": "http.request", "body": b"".join(parts), "more_body": False}]
    if message["type"] == "http.disconnect":
        first = [message]

    async def receiving() -> Message:
        return first.pop() if first else await receive()

    return receiving


def _check_length(scope: Scope) -> None:
    """Refuse a body that is long, or does not say how long it is: it is never read."""
    headers: dict[bytes, Any] = dict(scope["headers"])
    text = headers.get(b"content-length", b"0")
    if b"transfer-encoding" in headers or not (text.isdigit() and len(text) < 16):
        raise problem("malformed", "the body does not say its length; send Content-Length")
    if int(text) > BODY_MAX_BYTES:
        raise problem("too-large", f"a body has {BODY_MAX_BYTES} bytes at most here; pictures go to S3")
