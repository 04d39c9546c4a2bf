"""How the agent is, for supervisors, for people, and for Prometheus."""

from http import HTTPStatus

import orjson
from fastapi import APIRouter, Response
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from edge_agent.adapters.http import bodies
from edge_agent.adapters.http.interactions import JSON
from edge_agent.adapters.http.schemas import HealthAnswer
from edge_agent.adapters.http.services import Services
from edge_agent.heartbeat import STALE_AFTER_S
from edge_agent.ports import CameraState

Check = tuple[bool, str]


def routes(services: Services) -> APIRouter:
    """`GET /healthz`, `/readyz` and `/metrics`."""
    router = APIRouter(tags=["health"])

    @router.get(
        "/healthz",
        responses=bodies.answers(
            {
                200: ("Alive", HealthAnswer),
                503: ("The inference loop stands still: restart the agent", HealthAnswer),
            }
        ),
    )
    async def healthz() -> Response:
        """Whether the process still works: 200 while the inference loop beats."""
        checks = {"inference_loop": _heartbeat(services)} | _release(services)
        return _answer(checks, required=("inference_loop",))

    @router.get(
        "/readyz",
        responses=bodies.answers(
            {
                200: ("It can answer; `degraded` says what with", HealthAnswer),
                503: ("It cannot answer, or could not keep what it answers", HealthAnswer),
            }
        ),
    )
    async def readyz() -> Response:
        """Whether a till can use it: 200 also without camera or model, for then it shows best-sellers."""
        status = services.agent.status()
        camera_ok = status.camera is CameraState.LIVE
        checks = {
            "api": (True, "answering"),
            "inference_loop": _heartbeat(services),
            "journal": _journal(services),
            "camera": (camera_ok, str(status.camera)),
            "model": (
                status.model is not None,
                status.model.version if status.model else "none: best-sellers only",
            ),
            "menu": (status.in_stock > 0, f"{status.in_stock} of {status.catalogue} flavours in stock"),
        } | _release(services)
        return _answer(checks, required=("api", "inference_loop", "journal"))

    @router.get(
        "/metrics", responses={200: {"description": "Prometheus text", "content": {"text/plain": {}}}}
    )
    async def metrics() -> Response:
        """Counters and histograms; docs/operations.md explains each."""
        return Response(generate_latest(services.metrics), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return router


def _heartbeat(services: Services) -> Check:
    age_s = services.heartbeat.age_s(services.clock.monotonic_ns())
    return age_s < STALE_AFTER_S, f"last beat {age_s:.1f} s ago"


def _release(services: Services) -> dict[str, Check]:
    """Which release runs and how its newest update went; trouble with one is no trouble of the agent's."""
    if services.uplink is None or services.uplink.releases is None:
        return {}
    found = services.uplink.releases.updates.figures()
    what = found.source.value if found.release is None else f"release {found.release}"
    update = found.update
    if update is None:
        return {"release": (True, what)}
    how = f"update to release {update.release} {update.state}"
    return {"release": (True, f"{what}; {how}{f': {update.reason}' if update.reason else ''}")}


def _journal(services: Services) -> Check:
    refusing = services.agent.status().journal.get("refusing", 0) > 0
    return not refusing, "the disk refuses records" if refusing else "writing"


def _answer(checks: dict[str, Check], *, required: tuple[str, ...]) -> Response:
    failed = [name for name in required if not checks[name][0]]
    degraded = [name for name, (good, _) in checks.items() if not good]
    body = {
        "status": "failed" if failed else "degraded" if degraded else "ok",
        "checks": {name: {"ok": good, "state": state} for name, (good, state) in checks.items()},
    }
    status = HTTPStatus.SERVICE_UNAVAILABLE if failed else HTTPStatus.OK
    return Response(orjson.dumps(body), status, media_type=JSON)
