"""Health, readiness and metrics over HTTP."""

import pytest

from edge_agent.heartbeat import STALE_AFTER_S
from edge_agent.ports import CameraState
from tests.builders.local_api import LocalApi, running_api


def test_a_whole_agent_is_ok(still_api: LocalApi) -> None:
    """Every part is named."""
    body = still_api.stranger.get("/readyz").json()
    assert body["status"] == "ok"
    assert set(body["checks"]) == {"api", "inference_loop", "journal", "camera", "model", "menu"}


def test_without_camera_it_is_degraded_and_still_ready(api: LocalApi) -> None:
    """A till can use it: best-sellers are shown."""
    api.register.camera.now_state = CameraState.AWAY
    answer = api.stranger.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["camera"] == {"ok": False, "state": "away"}


def test_without_model_it_is_degraded_and_still_ready() -> None:
    """As without camera."""
    with running_api(None) as api:
        answer = api.stranger.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert "best-sellers" in answer.json()["checks"]["model"]["state"]


def test_a_refusing_journal_is_not_ready(api: LocalApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it answers could not be kept."""
    monkeypatch.setattr(api.register.journal, "counts", lambda: {"refusing": 1})
    answer = api.stranger.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "failed")
    assert not answer.json()["checks"]["journal"]["ok"]
    assert api.stranger.get("/healthz").status_code == 200, "a full disk is no reason to restart"


def test_a_standing_inference_loop_is_not_healthy(api: LocalApi) -> None:
    """The process answers and yet does not work."""
    assert api.stranger.get("/healthz").status_code == 200
    api.register.clock.advance((STALE_AFTER_S + 1) * 1000)
    answer = api.stranger.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (503, "failed")
    api.heartbeat.beat(api.register.clock.monotonic_ns())
    assert api.stranger.get("/healthz").status_code == 200


def test_metrics_are_prometheus_text(api: LocalApi) -> None:
    """Counted from the first interaction on."""
    api.client.post("/v1/interactions")
    answer = api.stranger.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'topscoop_recommendations_total{arm="model",source="model"} 1.0' in answer.text
    assert 'topscoop_camera_state{state="live"} 1.0' in answer.text
