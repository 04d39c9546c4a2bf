"""The register's releases, for people and for `topscoop edge model`. Only there where the uplink is."""

from http import HTTPStatus

import orjson
from fastapi import APIRouter, Response

from edge_agent.adapters.http import bodies
from edge_agent.adapters.http.interactions import JSON
from edge_agent.adapters.http.schemas import ReleasesAnswer
from edge_agent.updates.overview import overview
from edge_agent.updates.updates_loop import Updates

SCHEMAS = (ReleasesAnswer,)


def routes(updates: Updates) -> APIRouter:
    """`GET /v1/releases`, `POST /v1/releases/return`."""
    router = APIRouter(tags=["model"])

    def answer() -> Response:
        view = overview(updates.facts, updates.running, updates.figures())
        return Response(orjson.dumps(view), media_type=JSON)

    @router.get("/v1/releases", responses=bodies.answers({200: ("The releases", ReleasesAnswer)}))
    async def releases() -> Response:
        """Which release runs, what lies here with its verdict, and how the newest update went."""
        return answer()

    @router.post(
        "/v1/releases/return",
        responses=bodies.answers(
            {200: ("The model before is in use, or best-sellers", ReleasesAnswer)},
            (HTTPStatus.UNAUTHORIZED, "No pairing token"),
            (HTTPStatus.CONFLICT, "No release is in use"),
            (HTTPStatus.SERVICE_UNAVAILABLE, "The disk refused"),
        ),
    )
    async def go_back() -> Response:
        """Go back to the model before; it holds over restarts, until the cloud's next order."""
        await updates.go_back()
        return answer()

    return router
