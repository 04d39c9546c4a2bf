"""What was bought after a recommendation: the seed of every measurement."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from cloud.public_api import outcomes
from cloud.public_api.adapters.menus import known_flavours
from cloud.public_api.adapters.recommendations import find, record_outcome
from cloud.public_api.answer_documents import written
from cloud.public_api.bodies import OutcomeKept, OutcomeRequest
from cloud.public_api.desk import AtDesk
from cloud.public_api.documented import refusals
from cloud.public_api.problems import problem
from cloud.public_api.routes.recommendations import JSON, RequestId, kept, known_id
from cloud.public_api.scopes import AtCaller
from cloud.public_api.times import rfc3339

router = APIRouter(tags=["recommendations"])


@router.post(
    "/v1/recommendations/{request_id}/outcome",
    status_code=HTTPStatus.CREATED,
    response_model=None,
    responses={
        201: {"model": OutcomeKept, "description": "Recorded"},
        200: {"model": OutcomeKept, "description": "Was recorded before; the same"},
        **refusals(
            *("not-found", "invalid", "upload-failed", "upload-expired", "erased"),
            *("outcome-conflict", "no-recommendation-yet"),
        ),
    },
)
def say_outcome(desk: AtDesk, caller: AtCaller, request_id: RequestId, body: OutcomeRequest) -> Response:
    """Say what was bought. The same again changes nothing; another outcome is refused."""
    upload, now_ms = known_id(request_id), desk.now_ms()
    lines = [outcomes.Line(one.flavour, one.quantity) for one in body.lines]
    with desk.database.tenant(caller.tenant) as connection:
        found = find(connection, caller, upload)
        if found is None:
            raise problem("not-found", "you have no upload of this id")
        recommendation = kept(found, now_ms)
        if recommendation is None:
            raise problem("no-recommendation-yet", f"the upload is in state {found.state}")
        if recommendation.outcome_at_ms is None:
            known = known_flavours(connection, caller.tenant, recommendation.release)
            # Best-sellers of a chain without a model have no catalogue but their own slate.
            outcomes.check_flavours(lines, known | {one["flavour"] for one in recommendation.slate})
        recorded = record_outcome(connection, caller, upload, outcomes.value(lines), now_ms)
        if not recorded:
            found = find(connection, caller, upload)
            recommendation = None if found is None else kept(found, now_ms)
            if recommendation is None or recommendation.outcome is None:
                raise problem("erased", "it was erased meanwhile")
            if not outcomes.same(recommendation.outcome, lines):
                raise problem("outcome-conflict", "another outcome stands, and stays")
            body_ = {**recommendation.outcome, "recorded_at": rfc3339(recommendation.outcome_at_ms or now_ms)}
            return Response(written(body_), HTTPStatus.OK, media_type=JSON)
    answer = {**outcomes.value(lines), "recorded_at": rfc3339(now_ms)}
    return Response(written(answer), HTTPStatus.CREATED, media_type=JSON)
