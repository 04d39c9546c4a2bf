"""What holds for every request and answer: its chain, its size, its id, and the headers of each answer."""

import logging
import uuid
from collections.abc import Mapping
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.errors import DatabaseAway
from cloud.public_api import failures
from cloud.public_api.limits import Limits, headers_of
from cloud.public_api.problems import Problem, problem
from cloud.public_api.tenants import Tenants
from daemon.log_fields import fields

log = logging.getLogger(__name__)

BODY_MAX_BYTES: Final = 16 * 1024
"""The longest request, an upload with its consent and context, has a quarter of it; pictures go to S3."""
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
    """Lets in what is for a chain and small enough, and gives every answer its headers.

    Args:
        app: What answers; it finds `tenant` and `request_id` in `request.state`.
    """

    def __init__(self, app: ASGIApp, tenants: Tenants, limits: Limits) -> None:
        self._app = app
        self._tenants = tenants
        self._limits = limits
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
        except Problem as refused:
            state["problem"] = refused.kind.slug
            await failures.answer(refused)(scope, receive, sending)
            return
        try:
            await self._app(scope, receive, sending)
        except Exception:
            # The framework raises again what it has answered and logged as `internal`.
            if state.get("problem") != "internal":
                raise

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


def _check_length(scope: Scope) -> None:
    """Refuse a body that is long, or does not say how long it is: it is never read."""
    headers: dict[bytes, Any] = dict(scope["headers"])
    text = headers.get(b"content-length", b"0")
    if b"transfer-encoding" in headers or not (text.isdigit() and len(text) < 16):
        raise problem("malformed", "the body does not say its length; send Content-Length")
    if int(text) > BODY_MAX_BYTES:
        raise problem("too-large", f"a body has {BODY_MAX_BYTES} bytes at most here; pictures go to S3")
