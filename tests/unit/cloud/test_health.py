"""A service that stands still says so; what it needs and lacks has a name."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter

from cloud.errors import PortBusy
from cloud.health import STALE_AFTER_S, Health, HealthServer


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health("broker", "database", monotonic=clock)


@pytest.fixture
def port(health: Health) -> Iterator[int]:
    registry = CollectorRegistry()
    Counter("frames_stored", "Frames.", registry=registry).inc(3)
    with HealthServer(health, registry, "127.0.0.1", 0) as server:
        yield server.port


def _get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_it_is_ready_when_all_is_there(health: Health, port: int) -> None:
    """Until then it names what lacks."""
    status, body = _get(port, "/readyz")
    assert status == 503
    assert json.loads(body)["checks"]["database"] == {"ok": False, "detail": "not yet"}
    health.report("broker", ok=True)
    health.report("database", ok=True)
    assert _get(port, "/readyz")[0] == 200
    health.report("database", ok=False, words="connection refused")
    status, body = _get(port, "/readyz")
    assert (status, json.loads(body)["checks"]["database"]["detail"]) == (503, "connection refused")


def test_a_loop_that_stands_still_is_not_alive(health: Health, port: int, clock: Clock) -> None:
    """Broker or database away is no reason to restart; a loop that stands still is."""
    clock.now = STALE_AFTER_S
    assert _get(port, "/healthz")[0] == 200
    clock.now = STALE_AFTER_S + 1
    assert _get(port, "/healthz")[0] == 503
    health.beat()
    assert _get(port, "/healthz")[0] == 200


def test_metrics_are_served(port: int) -> None:
    status, body = _get(port, "/metrics")
    assert status == 200
    assert b"frames_stored_total 3.0" in body


def test_there_is_nothing_else(port: int) -> None:
    assert _get(port, "/")[0] == 404


def test_a_busy_port_is_named(health: Health, port: int) -> None:
    with pytest.raises(PortBusy, match=f"127.0.0.1:{port}"):
        HealthServer(health, CollectorRegistry(), "127.0.0.1", port)
