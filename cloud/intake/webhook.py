"""Where an S3 server reports uploads over HTTP: `POST /events`.

It takes no address, fetches nothing and answers nothing but a status: 204 when every upload of the message is
durable, 503 when the server should tell it again. The token comes as a bearer, or as the last part of the
path from servers that send no header of ours (Ceph).
"""

import asyncio
import hmac
import logging
from hashlib import sha256
from http import HTTPStatus
from typing import Final, Protocol

from starlette.types import Receive, Scope, Send

from cloud.intake.arrivals import Source
from cloud.intake.events import EVENT_MAX_BYTES, GarbageEvent, Heard, parse
from cloud.intake.hearing import Hearing
from daemon.log_fields import fields
from wire_protocol.errors import TopscoopError

log = logging.getLogger(__name__)

PATH: Final = "/events"
BODY_S: Final = 10.0
"""A message of a few thousand bytes is there after so long, or it is no S3 server that sends it."""
_RETRY_AFTER: Final = (b"retry-after", b"5")


class Watch(Protocol):
    """Who counts what came in."""

    def told(self, source: Source, heard: Heard) -> None:
        """A message was read."""

    def garbage(self, source: Source) -> None:
        """A message was none of an S3 server."""

    def stranger(self) -> None:
        """Somebody did not know the token."""

    def worked(self, source: Source) -> None:
        """What the source told is durable."""

    def failed(self, source: Source, error: TopscoopError) -> None:
        """Store or database are away: the source will tell it again."""


class Webhook:
    """An ASGI application.

    Args:
        token: What the S3 server must say.
        bucket: Of intake; what is told of others is ignored.
        hearing: Takes in arrivals.
        watch: Counts.
    """

    def __init__(self, token: str, bucket: str, hearing: Hearing, watch: Watch) -> None:
        self._token = sha256(token.encode()).digest()
        self._bucket = bucket
        self._hearing = hearing
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        status = await self._answer(scope, receive)
        headers = [(b"content-length", b"0"), (b"cache-control", b"no-store")]
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append(_RETRY_AFTER)
        if status is HTTPStatus.NO_CONTENT:
            headers = headers[1:]
        await send({"type": "http.response.start", "status": status.value, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _answer(self, scope: Scope, receive: Receive) -> HTTPStatus:
        path, _, in_path = scope["path"].removeprefix(PATH).partition("/")
        if path or not scope["path"].startswith(PATH):
            return HTTPStatus.NOT_FOUND
        if scope["method"] != "POST":
            return HTTPStatus.METHOD_NOT_ALLOWED
        if not self._knows_token(in_path or _bearer(scope["headers"])):
            self._watch.stranger()
            return HTTPStatus.UNAUTHORIZED
        try:
            async with asyncio.timeout(BODY_S):
                body = await _read(receive)
        except TimeoutError:
            return HTTPStatus.REQUEST_TIMEOUT
        if body is None:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return await self._take(body)

    async def _take(self, body: bytes) -> HTTPStatus:
        try:
            heard = parse(body, self._bucket)
        except GarbageEvent as error:
            self._watch.garbage(Source.WEBHOOK)
            log.warning("event.garbage", extra=fields(source=Source.WEBHOOK.value, error=str(error)))
            return HTTPStatus.BAD_REQUEST
        self._watch.told(Source.WEBHOOK, heard)
        try:
            await self._hearing.heard(heard.places, Source.WEBHOOK)
        except TopscoopError as error:
            self._watch.failed(Source.WEBHOOK, error)
            return HTTPStatus.SERVICE_UNAVAILABLE
        self._watch.worked(Source.WEBHOOK)
        return HTTPStatus.NO_CONTENT

    def _knows_token(self, said: str) -> bool:
        """In the same time, whatever was said."""
        return hmac.compare_digest(sha256(said.encode()).digest(), self._token)


def _bearer(headers: list[tuple[bytes, bytes]]) -> str:
    said = next((value for name, value in headers if name == b"authorization"), b"").decode("latin-1")
    scheme, _, token = said.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _read(receive: Receive) -> bytes | None:
    """The body; None when it is too long, or its sender went away."""
    body = bytearray()
    while True:
        part = await receive()
        if part["type"] != "http.request":
            return None
        body += part.get("body", b"")
        if len(body) > EVENT_MAX_BYTES:
            return None
        if not part.get("more_body", False):
            return bytes(body)
