"""`getRecommendation()`: one recommendation, at once or as soon as it is there, and the list of one's own."""

from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from cloud.public_api.adapters import recommendations
from cloud.public_api.answer_documents import Recommendation, Seen, written
from cloud.public_api.bodies import PendingAnswer, RecommendationAnswer, RecommendationPage
from cloud.public_api.caller import Caller
from cloud.public_api.conditional import etag, has_it
from cloud.public_api.cursors import Cursor
from cloud.public_api.desk import AtDesk, Desk
from cloud.public_api.documented import refusals
from cloud.public_api.problems import problem
from cloud.public_api.scopes import AtCaller
from cloud.public_api.waiting import unless_gone, until_ended
from wire_protocol.identifiers import parse_uuid7

JSON: Final = "application/json"
KEPT: Final = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
"""A client's own cache may keep it, and asks whether it still holds."""
RETRY_AFTER_S: Final = 1
PAGE_MAX: Final = 100

router = APIRouter(tags=["recommendations"])

RequestId = Annotated[
    str,
    Path(
        description="The `request_id` of the upload",
        examples=["01939f52-0000-7000-8000-0000000000a1"],
        max_length=64,
    ),
]
IfNoneMatch = Annotated[
    str | None, Header(description="ETag of what you have; 304 where it holds", max_length=2000)
]


@router.get(
    "/v1/recommendations/{request_id}",
    response_model=None,
    responses={
        200: {"model": RecommendationAnswer, "description": "The recommendation"},
        202: {"model": PendingAnswer, "description": "On its way; ask again after Retry-After"},
        304: {"description": "What you have is what there is"},
        **refusals("not-found", "invalid", "upload-failed", "upload-expired", "erased"),
    },
)
async def read_recommendation(
    *,
    request: Request,
    desk: AtDesk,
    caller: AtCaller,
    request_id: RequestId,
    wait: Annotated[
        float, Query(ge=0, le=60, allow_inf_nan=False, description="Seconds to wait for it, if need be")
    ] = 0,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Get the three flavours of an upload, or learn how far it is.

    With `wait`, the answer comes as soon as there is one, and after so many seconds at the latest.
    """
    upload = known_id(request_id)

    async def look() -> Seen:
        return await run_in_threadpool(find, desk, caller, upload)

    person = (caller.tenant, caller.user)
    wait_s = min(wait, desk.config.public_api.wait_max_s)
    if wait_s > 0 and desk.answers.waits.take(person):
        try:
            request.state.place.leave()  # waiting is no work
            work = until_ended(desk.answers, (caller.tenant, upload), look, wait_s)
            waited = await unless_gone(work, request.receive)
        finally:
            desk.answers.waits.give_back(person)
        if waited is None:
            return Response(status_code=HTTPStatus.NO_CONTENT)  # nobody is there to read it
        found = waited[0]
        if waited[1] and found.state == "done" and found.arrived_at_ms is not None:
            desk.answers.answered(desk.now_ms() - found.arrived_at_ms)
    else:
        found = await look()
    return _answer(found, desk.now_ms(), if_none_match)


@router.get(
    "/v1/recommendations",
    response_model=None,
    responses={
        200: {"model": RecommendationPage, "description": "Newest first"},
        304: {"description": "What you have is what there is"},
        **refusals("invalid"),
    },
)
def list_recommendations(
    desk: AtDesk,
    caller: AtCaller,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX, description="How many at most")] = 20,
    cursor: Annotated[
        str | None, Query(max_length=64, description="`next` of the page before; none for the first")
    ] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """List your own recommendations, newest first.

    A page goes on where the one before ended, whatever came or went in between.
    """
    after = None if cursor is None else Cursor.parse(cursor)
    with desk.database.tenant(caller.tenant, read_only=True) as connection:
        # One more than is shown says whether there is another page.
        found = recommendations.page(connection, caller, desk.now_ms(), after, limit + 1)
    shown = found[:limit]
    following = str(Cursor(shown[-1].created_at_ms, shown[-1].request)) if len(found) > limit else None
    body = written({"recommendations": [one.document() for one in shown], "next": following})
    return conditional(body, if_none_match)


def known_id(text: str) -> bytes:
    """The id of an upload. Raises Problem `not-found` for what was never one."""
    try:
        made: UUID = parse_uuid7(text)
    except ValueError:
        raise problem("not-found", "you have no upload of this id") from None
    return made.bytes


def find(desk: Desk, caller: Caller, upload: bytes) -> Seen:
    """An upload of the caller's. Raises Problem `not-found`: others' are as unknown as those never issued."""
    with desk.database.tenant(caller.tenant, read_only=True) as connection:
        found = recommendations.find(connection, caller, upload)
    if found is None:
        raise problem("not-found", "you have no upload of this id")
    return found


def kept(found: Seen, now_ms: int) -> Recommendation | None:
    """Its recommendation; None where it is on its way. Raises Problem where there is none."""
    refused = found.refusal(now_ms)
    if refused is not None:
        raise refused
    return found.recommendation if found.ended else None


def conditional(body: bytes, if_none_match: str | None) -> Response:
    """200 with these bytes, or 304 where the client has them."""
    headers = {**KEPT, "ETag": etag(body)}
    if has_it(if_none_match, headers["ETag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, media_type=JSON, headers=headers)


def _answer(found: Seen, now_ms: int, if_none_match: str | None) -> Response:
    there = kept(found, now_ms)
    if there is not None:
        return conditional(written(there.document()), if_none_match)
    headers = {"Retry-After": str(RETRY_AFTER_S), "Location": found.address}
    return Response(written(found.pending()), HTTPStatus.ACCEPTED, headers, JSON)
