"""The agent's events as a stream that a browser can follow and resume (Server-Sent Events)."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Final

import orjson
from fastapi import APIRouter, Header, Query, Response
from starlette.responses import StreamingResponse

from edge_agent.adapters.http import bodies
from edge_agent.adapters.http.problems import Problem
from edge_agent.adapters.http.services import Services
from edge_agent.events import Event, Subscription

HEARTBEAT_S: Final = 15.0
"""Shorter than the idle time-out of any proxy or browser."""
_RETRY_MS: Final = 1000
_HEARTBEAT: Final = b": still here\n\n"


def routes(services: Services) -> APIRouter:
    """`GET /v1/events`."""
    router = APIRouter(tags=["events"])

    @router.get(
        "/v1/events",
        responses={
            200: {
                "description": "Events `recommendation`, `outcome`, `expired`, `menu`, `camera`, `model` and "
                "`presence`; `missed` when some could not be resumed",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            **bodies.answers({}, (HTTPStatus.SERVICE_UNAVAILABLE, "Too many listen already")),
        },
    )
    async def events(
        last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
        resume: Annotated[str | None, Query(alias="last_event_id")] = None,
    ) -> Response:
        """Follow what happens; `Last-Event-ID` resumes after an interruption."""
        subscription = services.events.subscribe(_last_seen(last_event_id or resume))
        return StreamingResponse(_stream(subscription), media_type="text/event-stream")

    return router


async def _stream(subscription: Subscription) -> AsyncIterator[bytes]:
    with subscription:
        yield b"retry: %d\n\n" % _RETRY_MS
        if subscription.missed:
            yield b"event: missed\ndata: {}\n\n"
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    event = await anext(subscription)
            except TimeoutError:
                yield _HEARTBEAT
                continue
            except StopAsyncIteration:
                return
            yield encode(event)


def encode(event: Event) -> bytes:
    """One event on the wire; JSON has no line breaks, so one `data` line is enough."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.id, event.kind.encode(), orjson.dumps(event.data))


def _last_seen(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid-event-id",
            "Last-Event-ID is no number of an event.",
            remedy="Send back the id of the last event you got, or leave it out.",
        )
    return int(text)
