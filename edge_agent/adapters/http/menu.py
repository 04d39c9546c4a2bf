"""What is in stock, and in which colours and languages it is shown."""

from http import HTTPStatus

import orjson
from fastapi import APIRouter, Request, Response

from edge_agent.adapters.http import bodies
from edge_agent.adapters.http.interactions import JSON
from edge_agent.adapters.http.schemas import MenuAnswer, MenuRequest
from edge_agent.adapters.http.services import Services
from edge_agent.agent import Agent


def routes(services: Services) -> APIRouter:
    """`GET /v1/menu` and `PUT /v1/menu`."""
    router = APIRouter(tags=["menu"])

    @router.get("/v1/menu", responses=bodies.answers({200: ("The menu in effect", MenuAnswer)}))
    async def get_menu() -> Response:
        """The catalogue of the model in use, and what of it is in stock."""
        return _answer(services.agent)

    @router.put(
        "/v1/menu",
        openapi_extra=bodies.described(MenuRequest),
        responses=bodies.answers(
            {200: ("In effect, and kept over restarts", MenuAnswer)},
            (HTTPStatus.UNAUTHORIZED, "No pairing token"),
            (HTTPStatus.CONFLICT, "The version is older than the menu in effect"),
            (HTTPStatus.UNPROCESSABLE_ENTITY, "A flavour is not in the catalogue"),
            (HTTPStatus.SERVICE_UNAVAILABLE, "In effect, but the disk refused to keep it"),
        ),
    )
    async def put_menu(request: Request) -> Response:
        """Say in full what can be sold now; the next recommendation keeps to it."""
        body = await bodies.read(request, MenuRequest)
        await services.agent.set_menu(body.in_stock, version=body.version)
        return _answer(services.agent)

    return router


def _answer(agent: Agent) -> Response:
    shelf = agent.shelf
    in_stock = frozenset(shelf.in_stock)
    answer = {
        "version": shelf.menu.version,
        "in_stock": shelf.in_stock,
        "flavours": [
            {
                "id": flavour.id,
                "names": dict(flavour.names),
                "colour": flavour.colour,
                "in_stock": flavour.id in in_stock,
            }
            for flavour in shelf.flavours
        ],
    }
    return Response(orjson.dumps(answer), media_type=JSON)
