"""Opening an interaction, and confirming that its slate was on the display."""

from http import HTTPStatus
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response

from edge_agent.adapters.http import bodies
from edge_agent.adapters.http.schemas import InteractionAnswer, InteractionRequest
from edge_agent.adapters.http.services import Services
from edge_agent.agent import NOTHING_KNOWN, OpenInteraction
from edge_agent.errors import UnknownInteractionError
from edge_agent.impression import Impression
from wire_protocol.identifiers import parse_uuid7

JSON = "application/json"


def routes(services: Services) -> APIRouter:
    """`POST /v1/interactions` and `…/displayed`."""
    router = APIRouter(tags=["interactions"])

    @router.post(
        "/v1/interactions",
        status_code=HTTPStatus.CREATED,
        openapi_extra=bodies.described(InteractionRequest, required=False),
        responses=bodies.answers(
            {201: ("The recommendation", InteractionAnswer)},
            (HTTPStatus.UNAUTHORIZED, "No pairing token"),
            (HTTPStatus.UNPROCESSABLE_ENTITY, "The context is impossible"),
        ),
    )
    async def open_interaction(request: Request) -> Response:
        """Recommend three flavours to whoever stands there now."""
        # The hot path: no model of the answer, no thread, nothing awaited after the body.
        raw = await request.body()
        asked = _asked(request, raw) if raw else NOTHING_KNOWN
        impression = services.agent.open_interaction(asked)
        return Response(orjson.dumps(_answer(impression)), HTTPStatus.CREATED, media_type=JSON)

    @router.post(
        "/v1/interactions/{interaction_id}/displayed",
        status_code=HTTPStatus.NO_CONTENT,
        responses=bodies.answers(
            {204: ("Noted", None)},
            (HTTPStatus.NOT_FOUND, "No such interaction"),
            (HTTPStatus.CONFLICT, "The interaction is over"),
        ),
    )
    async def displayed(interaction_id: str) -> Response:
        """Say that the customer's display showed the slate; the agent's own page needs no token for it."""
        services.agent.displayed(known_id(interaction_id))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return router


def known_id(text: str) -> UUID:
    """The id of an interaction as a path gives it.

    Raises:
        UnknownInteractionError: It is no UUID version 7, so no interaction can have it.
    """
    try:
        return parse_uuid7(text)
    except ValueError:
        raise UnknownInteractionError(
            f"{text[:40]!r} is no id of an interaction",
            remedy="Send the interaction_id that POST /v1/interactions answered.",
        ) from None


def _asked(request: Request, raw: bytes) -> OpenInteraction:
    bodies.check_content_type(request)
    context = InteractionRequest.model_validate_json(raw).context
    if context is None:
        return NOTHING_KNOWN
    return OpenInteraction(context.temperature_c, context.hour, context.weekday)


def _answer(impression: Impression) -> dict[str, object]:
    return {
        "interaction_id": str(impression.interaction_id),
        "top3": [
            {"flavour": offer.flavour, "name": offer.name, "probability": offer.probability}
            for offer in impression.slate
        ],
        "source": impression.source,
        "reason": impression.reason,
        "arm": impression.arm,
        "model": impression.model_version,
        "frame_age_ms": impression.frame_age_ms,
        "inference_ms": impression.inference_ms,
        "total_ms": impression.total_ms,
    }
