"""What every answer tells the browser: run only our own files, be framed by nobody, keep nothing."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = "; ".join(  # noqa: FLY002 - a line a directive
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        # Only live.js makes HTML of text, of what this server has rendered.
        "require-trusted-types-for 'script'",
        "trusted-types topscoop-live",
    )
)
"""No inline script or style, nothing of another host: a flavour called `<script>` stays a name (T24)."""

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    # Not no-referrer: with it browsers write `Origin: null` into our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS: Final = "max-age=31536000"
BODY_MAX_BYTES: Final = 256 * 1024
"""The longest form, a plan with every stage and window filled in, has a tenth of it."""


class ClosedDoors:
    """Adds the headers to every answer, and answers only under the name that it was given.

    Args:
        app: What answers.
        host: What browsers must write in `Host`: a page that was rebound to our address has another one.
        secure: Browsers come by https.
    """

    def __init__(self, app: ASGIApp, *, host: str, secure: bool) -> None:
        self._app = app
        self._host = host
        self._headers = dict(HEADERS) | ({"Strict-Transport-Security": HSTS} if secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if _host(scope) != self._host:
            await _say(sending, 421, "This console answers under another name.")
            return
        length = _length(scope)
        if length is None or length > BODY_MAX_BYTES:
            await _say(sending, 413 if length else 411, "This is larger than any form of this console.")
            return
        await self._app(scope, receive, sending)


def _host(scope: Scope) -> str:
    named = [value for name, value in scope["headers"] if name == b"host"]
    return str(named[0].decode("latin-1").lower()) if len(named) == 1 else ""


def _length(scope: Scope) -> int | None:
    """How long the body says that it is; None where it does not say, which no browser does with a form."""
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return None
    text = headers.get(b"content-length", b"0")
    return int(text) if text.isdigit() and len(text) < 16 else None


async def _say(send: Any, status: int, words: str) -> None:
    kind = (b"content-type", b"text/plain; charset=utf-8")
    await send({"type": "http.response.start", "status": status, "headers": [kind]})
    await send({"type": "http.response.body", "body": words.encode()})
