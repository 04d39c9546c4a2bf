"""How far an upload is, as it happens (Server-Sent Events): issued, arrived, and its end."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Header, Response
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.concurrency import run_in_threadpool

from cloud.errors import DatabaseAway
from cloud.public_api.answer_documents import Seen
from cloud.public_api.answer_events import ENDED, events_after
from cloud.public_api.desk import AtDesk
from cloud.public_api.documented import refusals
from cloud.public_api.problems import Problem, problem
from cloud.public_api.routes.recommendations import RequestId, find, known_id
from cloud.public_api.scopes import AtCaller
from cloud.public_api.waiting import following

RETRY_MS: Final = 1000
_HEARTBEAT: Final = b": still here\n\n"

router = APIRouter(tags=["recommendations"])


@router.get(
    "/v1/recommendations/{request_id}/events",
    response_model=None,
    response_class=Response,
    responses={
        200: {
            "description": "Events `issued`, `arrived`, and one of `done`, `failed`, `expired`, `erased`",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        204: {"description": "Last-Event-ID was the end: nothing more will come"},
        **refusals("not-found", "too-many-requests"),
    },
)
async def follow_recommendation(
    desk: AtDesk,
    caller: AtCaller,
    request_id: RequestId,
    last_event_id: Annotated[
        str | None, Header(description="The id of the last event that you have", max_length=64)
    ] = None,
) -> Response:
    """Follow an upload until its end; the stream ends by itself and goes on after Last-Event-ID."""
    upload = known_id(request_id)

    async def look() -> Seen:
        return await run_in_threadpool(find, desk, caller, upload)

    await look()  # what is not there is said now, with its status
    if last_event_id in ENDED:
        return Response(status_code=HTTPStatus.NO_CONTENT)  # a browser stops coming back
    person, places = (caller.tenant, caller.user), desk.answers.streams
    if not places.free(person):
        raise problem("too-many-requests", "too many streams are open", headers={"Retry-After": "5"})

    async def stream() -> AsyncIterator[bytes]:
        # Counted once it flows: a client that goes away before that leaves nothing behind.
        if not places.take(person):
            return
        try:
            yield format_sse_event(retry=RETRY_MS)
            last = last_event_id
            async for found in following(desk.answers, (caller.tenant, upload), look):
                if found is None:
                    yield _HEARTBEAT
                    continue
                for name, document in events_after(found, last, desk.now_ms()):
                    yield format_sse_event(event=name, data_str=document.decode(), id=name)
                    last = name
        except (Problem, DatabaseAway):
            return  # the client comes back, and is told then
        finally:
            places.give_back(person)

    return EventSourceResponse(stream(), headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"})
