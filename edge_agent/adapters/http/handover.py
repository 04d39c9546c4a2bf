"""The code that the customer's display shows for phones. Only there where it is switched on."""

from http import HTTPStatus

import orjson
from fastapi import APIRouter, Response

from edge_agent.adapters.http import bodies
from edge_agent.adapters.http.interactions import JSON, known_id
from edge_agent.adapters.http.schemas import HandoverAnswer
from edge_agent.uplink.handover_loop import Handovers, iso_time

SCHEMAS = (HandoverAnswer,)


def routes(handovers: Handovers) -> APIRouter:
    """`GET /v1/interactions/{id}/handover`."""
    router = APIRouter(tags=["consent"])

    @router.get(
        "/v1/interactions/{interaction_id}/handover",
        responses=bodies.answers(
            {200: ("The code", HandoverAnswer)},
            (HTTPStatus.CONFLICT, "No picture waits for an answer"),
            (HTTPStatus.SERVICE_UNAVAILABLE, "No connection to the cloud, or no consent blank is left"),
        ),
    )
    async def handover(interaction_id: str) -> Response:
        """The code for the customer's phone; who asks first makes it, and the picture waits for it."""
        shown = await handovers.show(known_id(interaction_id))
        answer = {
            "url": shown.code.address,
            "svg": shown.svg,
            "expires_at": iso_time(shown.code.expires_at_ms),
            "expires_in_s": handovers.seconds_left(shown.code),
        }
        return Response(orjson.dumps(answer), media_type=JSON)

    return router
