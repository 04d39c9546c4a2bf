"""The gate of the local API: every request passes here first, every answer last (pure ASGI, no copies)."""

import logging
import time
from collections.abc import Callable, MutableMapping
from http import HTTPStatus
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from daemon.log_fields import fields
from edge_agent.adapters.http.access import AccessRules, Refusal, RequestHead
from edge_agent.adapters.http.problems import Problem, problem_response

log = logging.getLogger(__name__)

MAX_BODY_BYTES: Final = 64 * 1024
"""The longest honest body is an outcome of some dozen lines, about 4 KB."""
PAIRED: Final = "topscoop.paired"
"""In the scope of a request: whether it carries a till's pairing token."""
_DRAINED_BYTES: Final = 1024 * 1024
"""So much of a body that is too large is still read, so that its sender gets to see the refusal."""

RequestObserver = Callable[[str, str, int, float], None]
"""Takes route template, method, status and seconds of every answered request."""

_REFUSALS = {
    Refusal.HOST: Problem(
        HTTPStatus.FORBIDDEN,
        Refusal.HOST,
        "The agent does not answer to this Host name.",
        remedy="Call it as 127.0.0.1 or localhost, with the port that it listens on.",
    ),
    Refusal.ORIGIN: Problem(
        HTTPStatus.FORBIDDEN,
        Refusal.ORIGIN,
        "Pages of this origin may not call the agent.",
        remedy="Add the page's origin to `allowed_origins` under [api] if it is the till's own.",
    ),
    Refusal.TOKEN: Problem(
        HTTPStatus.UNAUTHORIZED,
        Refusal.TOKEN,
        "This needs the pairing token of a till.",
        remedy="Send `Authorization: Bearer <token>`; the agent's log says at its start where it lies.",
        headers={"WWW-Authenticate": 'Bearer realm="topscoop"'},
    ),
}
_CORS_METHODS = "GET, POST, PUT"
_CORS_HEADERS = "authorization, content-type, idempotency-key, last-event-id"


class Guard:
    """Wraps the application: access rules, body limit, security headers, and one observation per request.

    Args:
        app: The application behind the gate.
        rules: Who may come in.
        observe: Told about every answer, refusals included.
    """

    def __init__(self, app: ASGIApp, rules: AccessRules, observe: RequestObserver) -> None:
        self._app = app
        self._rules = rules
        self._observe = observe
        frames = " ".join(["'self'", *sorted(rules.foreign_origins)])
        self._policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            f"base-uri 'none'; form-action 'none'; frame-ancestors {frames}"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI
        if scope["type"] != "http":
            # The agent speaks no WebSocket; closing an unaccepted one answers 403.
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return
        began = time.perf_counter()
        head = _head(scope)
        verdict = self._rules.judge(head)
        status = 0
        complete = False

        async def send_guarded(message: Message) -> None:
            nonlocal status, complete
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add_headers(message, verdict.cross_origin)
            else:
                complete = not message.get("more_body", False)
            await send(message)

        try:
            if verdict.refusal is not None:
                await problem_response(_REFUSALS[verdict.refusal])(scope, receive, send_guarded)
            elif head.method == "OPTIONS":
                await _preflight()(scope, receive, send_guarded)
            else:
                scope[PAIRED] = verdict.paired
                await self._app(scope, _bounded(scope, receive), send_guarded)
        except Exception as error:
            log.exception(
                "request.failed", extra=fields(method=head.method, route=_route(scope), error=str(error))
            )
            # The client has its 500; raised further, the server would break off the connection as well.
            if not complete:
                raise
        finally:
            self._observe(_route(scope), head.method, status or 500, time.perf_counter() - began)

    def _add_headers(self, message: MutableMapping[str, Any], cross_origin: str | None) -> None:
        headers = MutableHeaders(raw=message["headers"])
        message["headers"] = headers.raw
        raw = headers.raw
        raw.append((b"x-content-type-options", b"nosniff"))
        raw.append((b"cross-origin-resource-policy", b"same-origin"))
        raw.append((b"referrer-policy", b"no-referrer"))
        if "cache-control" not in headers:
            raw.append((b"cache-control", b"no-store"))
        if headers.get("content-type", "").startswith("text/html"):
            raw.append((b"content-security-policy", self._policy.encode()))
        if cross_origin is not None:
            raw.append((b"access-control-allow-origin", cross_origin.encode()))
            raw.append((b"vary", b"origin"))
            raw.append((b"access-control-allow-methods", _CORS_METHODS.encode()))
            raw.append((b"access-control-allow-headers", _CORS_HEADERS.encode()))
            raw.append((b"access-control-max-age", b"600"))


def _route(scope: Scope) -> str:
    """The template of the route, never the address: ids in it would become series in the metrics."""
    return getattr(scope.get("route"), "path", "other")


def _preflight() -> Response:
    """Answer to OPTIONS; whether the browser goes on depends on the headers that `Guard` adds."""
    return Response(status_code=HTTPStatus.NO_CONTENT, headers={"allow": _CORS_METHODS})


def _head(scope: Scope) -> RequestHead:
    """What the access rules want to know of a request."""
    found: dict[bytes, str] = {}
    repeated = False
    for name, value in scope["headers"]:
        if name in {b"host", b"origin", b"authorization"}:
            repeated = repeated or name in found
            found[name] = value.decode("latin-1")
    server = scope.get("server")
    return RequestHead(
        method=scope["method"],
        path=scope["path"],
        host=found.get(b"host"),
        origin=found.get(b"origin"),
        authorization=found.get(b"authorization"),
        repeated=repeated,
        over_unix_socket=server is not None and server[1] is None,
    )


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """`receive` that refuses a body beyond the limit, by its announced length or by its real one."""
    length = Headers(scope=scope).get("content-length", "")
    announced = int(length) if length.isdigit() else 0
    received = 0

    async def receive_bounded() -> Message:
        nonlocal received
        beyond = announced > MAX_BODY_BYTES
        if announced > _DRAINED_BYTES:
            raise _too_large()
        while True:
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
            beyond = beyond or received > MAX_BODY_BYTES
            if not beyond:
                return message
            # Whoever still sends would see the connection break instead of the answer, so the rest is read
            # and thrown away, within reason.
            if not message.get("more_body", False) or received > _DRAINED_BYTES:
                raise _too_large()

    return receive_bounded


def _too_large() -> HTTPException:
    """An HTTPException, because FastAPI lets only those through while it reads a body."""
    return HTTPException(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The body is larger than the {MAX_BODY_BYTES // 1024} KiB that the agent takes.",
        headers={"Connection": "close"},
    )
