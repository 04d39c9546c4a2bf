"""Exchanging the model between two frames."""

from http import HTTPStatus
from pathlib import Path

import orjson
from fastapi import APIRouter, Request, Response

from edge_agent.adapters.http import bodies
from edge_agent.adapters.http.interactions import JSON
from edge_agent.adapters.http.schemas import ModelAnswer, ModelRequest
from edge_agent.adapters.http.services import Services


def routes(services: Services) -> APIRouter:
    """`PUT /v1/model`."""
    router = APIRouter(tags=["model"])

    @router.put(
        "/v1/model",
        openapi_extra=bodies.described(ModelRequest),
        responses=bodies.answers(
            {200: ("In use from the next interaction on", ModelAnswer)},
            (HTTPStatus.UNAUTHORIZED, "No pairing token"),
            (HTTPStatus.CONFLICT, "This register runs signed releases only"),
            (HTTPStatus.UNPROCESSABLE_ENTITY, "The model cannot be used here; the one before goes on"),
        ),
    )
    async def put_model(request: Request) -> Response:
        """Load another model beside the running one and change over; recommendations go on meanwhile."""
        body = await bodies.read(request, ModelRequest)
        info = await services.agent.swap_model(Path(body.model_dir))
        return Response(orjson.dumps({"model": info.version, "digest": info.digest}), media_type=JSON)

    return router
