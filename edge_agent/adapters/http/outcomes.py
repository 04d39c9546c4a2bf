"""What was bought: acknowledged when it is on the disk, and only once however often it is sent."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Header, Request, Response

from edge_agent.adapters.http import bodies
from edge_agent.adapters.http.interactions import JSON, known_id
from edge_agent.adapters.http.schemas import OutcomeAnswer, OutcomeRequest
from edge_agent.adapters.http.services import Services
from edge_agent.impression import SoldLine
from edge_agent.outcomes import Sale

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key", description="the same for every repetition of this sale; 1 to 128 characters"
    ),
]
_ANSWERS = bodies.answers(
    {201: ("Stored", OutcomeAnswer), 200: ("Was stored before; the same answer", OutcomeAnswer)},
    (HTTPStatus.UNAUTHORIZED, "No pairing token"),
    (HTTPStatus.CONFLICT, "The key was used with other content"),
    (HTTPStatus.UNPROCESSABLE_ENTITY, "The sale is impossible, or names an unknown flavour"),
    (HTTPStatus.SERVICE_UNAVAILABLE, "The disk refused; nothing was stored, try again"),
)


def routes(services: Services) -> APIRouter:
    """`POST /v1/interactions/{id}/outcome` and `POST /v1/outcomes`."""
    router = APIRouter(tags=["outcomes"])

    async def store(request: Request, key: str, interaction_id: UUID | None) -> Response:
        body = await bodies.read(request, OutcomeRequest)
        sale = Sale(body.receipt_id, tuple(SoldLine(line.flavour, line.quantity) for line in body.lines))
        stored = await services.agent.record_outcome(sale, idempotency_key=key, interaction_id=interaction_id)
        answer = {
            "outcome_id": str(stored.outcome_id),
            "interaction_id": None if interaction_id is None else str(interaction_id),
            "stored_at": _rfc3339(stored.stored_at_ms),
        }
        status = HTTPStatus.OK if stored.repeated else HTTPStatus.CREATED
        return Response(orjson.dumps(answer), status, media_type=JSON)

    @router.post(
        "/v1/interactions/{interaction_id}/outcome",
        status_code=HTTPStatus.CREATED,
        openapi_extra=bodies.described(OutcomeRequest),
        responses=_ANSWERS,
    )
    async def outcome(interaction_id: str, request: Request, idempotency_key: IdempotencyKey) -> Response:
        """Say what the customer of an interaction bought."""
        return await store(request, idempotency_key, known_id(interaction_id))

    @router.post(
        "/v1/outcomes",
        status_code=HTTPStatus.CREATED,
        openapi_extra=bodies.described(OutcomeRequest),
        responses=_ANSWERS,
    )
    async def sale_without_interaction(request: Request, idempotency_key: IdempotencyKey) -> Response:
        """Say what was bought without a recommendation: measurement needs these sales as well."""
        return await store(request, idempotency_key, None)

    return router


def _rfc3339(at_ms: int) -> str:
    return (
        datetime.fromtimestamp(at_ms / 1000, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
