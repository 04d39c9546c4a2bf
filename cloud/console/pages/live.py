"""The one stream: what changed of the page that somebody looks at (Server-Sent Events)."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from cloud.console.desk import AtDesk
from cloud.console.errors import NotFound
from cloud.console.live_pages import LivePage, find_live
from cloud.console.scopes import LoggedIn

router = APIRouter()


@router.get("/live")
async def live(
    request: Request, desk: AtDesk, visit: LoggedIn, page: str, since: str = ""
) -> StreamingResponse:
    """Follow a page; each event's id names the state that it leads to, so that a browser can come back."""
    pages: tuple[LivePage, ...] = request.app.state.live_pages
    found = find_live(pages, page[:2000])
    if found is None:
        raise NotFound("that page is not live", remedy="Load it again to see what is new.")
    which, params, query = found
    principal = visit.principal
    key = (principal.tenant, principal.role, page)
    read = partial(desk.live.look, key, partial(which.parts, desk, principal, params, query))
    cookie = request.cookies.get(desk.cookies.session, "")
    desk.live.check(visit.session)
    # What is not there is said now, with its status; in the stream it would only break off, and come again.
    await asyncio.to_thread(read)

    async def stream() -> AsyncIterator[bytes]:
        # Counted once it flows: a browser that goes away before that leaves nothing behind.
        desk.live.enter(visit.session)
        try:
            had = request.headers.get("last-event-id") or since
            async for chunk in desk.live.follow(
                had, read, lambda: desk.sessions.find(cookie, touch=False) is not None
            ):
                yield chunk
        finally:
            desk.live.leave(visit.session)

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
