"""How the uplink is, for people and for `topscoop edge spool`; and what a person may order."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
from fastapi import APIRouter, Request, Response

from edge_agent.adapters.http import bodies
from edge_agent.adapters.http.interactions import JSON
from edge_agent.adapters.http.schemas import UplinkAnswer, UplinkChanged, UplinkOrder
from edge_agent.adapters.uplink.assembly import Uplink
from edge_agent.adapters.uplink.spool_table import lanes_as_json
from edge_agent.uplink.delivery_events import SpoolAgain
from edge_agent.uplink.lanes import Lane

SCHEMAS = (UplinkAnswer, UplinkOrder, UplinkChanged)
T = TypeVar("T")


def routes(uplink: Uplink) -> APIRouter:
    """`GET /v1/uplink`, `POST /v1/uplink/retry` and `/purge`."""
    router = APIRouter(tags=["uplink"])

    async def off_loop(work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(uplink.executor, work)

    @router.get("/v1/uplink", responses=bodies.answers({200: ("The uplink", UplinkAnswer)}))
    async def status() -> Response:
        """Whether the broker is there, what waits, and what became of everything so far."""
        stats = await off_loop(uplink.spool.stats)
        answer: dict[str, Any] = {
            "identity": str(uplink.credentials.place.identity),
            "connected": uplink.deliverer.is_connected,
            "blanks_left": await off_loop(lambda: uplink.spool.blanks_left(uplink.now_ms())),
            "held_frames": uplink.consents.held,
            "certificate_days_left": round(uplink.certificate.life.days_left(uplink.now_ms()), 1),
            **lanes_as_json(stats),
        }
        return Response(orjson.dumps(answer), media_type=JSON)

    @router.post(
        "/v1/uplink/retry",
        responses=bodies.answers(
            {200: ("So many messages are offered again", UplinkChanged)},
            (HTTPStatus.UNAUTHORIZED, "No pairing token"),
            (HTTPStatus.SERVICE_UNAVAILABLE, "The disk refused"),
        ),
    )
    async def retry() -> Response:
        """Offer again what was set aside because it could not be delivered."""
        count = await off_loop(uplink.spool.release)
        uplink.deliverer.tell(SpoolAgain())
        return Response(orjson.dumps({"messages": count}), media_type=JSON)

    @router.post(
        "/v1/uplink/purge",
        openapi_extra=bodies.described(UplinkOrder),
        responses=bodies.answers(
            {200: ("So many messages were dropped, and counted", UplinkChanged)},
            (HTTPStatus.UNAUTHORIZED, "No pairing token"),
            (HTTPStatus.SERVICE_UNAVAILABLE, "The disk refused"),
        ),
    )
    async def purge(request: Request) -> Response:
        """Drop everything that waits in one lane; nothing brings it back."""
        order = await bodies.read(request, UplinkOrder)
        lane = next(lane for lane in Lane if lane.label == order.lane)
        count = await off_loop(lambda: uplink.spool.purge(lane, only_set_aside=order.only_set_aside))
        return Response(orjson.dumps({"messages": count}), media_type=JSON)

    return router
