"""How a service is, for supervisors and Prometheus: `/healthz`, `/readyz`, `/metrics` on a port of its own.

A thread of its own answers, so that a service that stands still is still told apart from one that is away.
"""

import http.server
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, Self

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from cloud.errors import PortBusy

STALE_AFTER_S: Final = 30
"""A loop that has not beaten for so long stands still: restart the service."""
_REQUEST_TIMEOUT_S: Final = 5
_JSON: Final = "application/json"


class Health:
    """What a service says of itself; any thread may call it.

    Args:
        checks: Names of what must be there before the service is ready, such as `database`.
        monotonic: Seconds of a clock that never steps.
    """

    def __init__(self, *checks: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._checks: dict[str, tuple[bool, str]] = dict.fromkeys(checks, (False, "not yet"))
        self._monotonic = monotonic
        self._beat = monotonic()

    def beat(self) -> None:
        """The service's loop goes round; call it every few seconds."""
        with self._lock:
            self._beat = self._monotonic()

    def report(self, check: str, *, ok: bool, words: str = "") -> None:
        """Whether something that the service needs is there, and in words how it is."""
        with self._lock:
            self._checks[check] = (ok, words or ("good" if ok else "away"))

    def alive(self) -> bool:
        """Whether the loop has beaten lately."""
        with self._lock:
            return self._monotonic() - self._beat <= STALE_AFTER_S

    def ready(self) -> bool:
        """Whether it is alive and all that it needs is there."""
        return self.alive() and all(ok for ok, _ in self._snapshot().values())

    def document(self) -> dict[str, object]:
        """All of it, as the pages show it."""
        checks = {"loop": (self.alive(), "beating" if self.alive() else "stands still"), **self._snapshot()}
        return {
            "status": "ready" if self.ready() else "not-ready",
            "checks": {name: {"ok": ok, "detail": words} for name, (ok, words) in checks.items()},
        }

    def _snapshot(self) -> dict[str, tuple[bool, str]]:
        with self._lock:
            return dict(self._checks)


class HealthServer:
    """Answers from entering to leaving its `with` block.

    Args:
        health: What to tell.
        registry: The service's metrics.
        host: Address to listen on.
        port: TCP port; 0 lets the system choose, `port` says which.

    Raises:
        PortBusy: Another program listens there, or the address is not this machine's.
    """

    def __init__(self, health: Health, registry: CollectorRegistry, host: str, port: int) -> None:
        handler = type("Handler", (_Handler,), {"health": health, "registry": registry})
        try:
            self._server = http.server.ThreadingHTTPServer((host, port), handler)
        except OSError as error:
            raise PortBusy(
                f"cannot listen on {host}:{port}: {error.strerror}",
                remedy="Set another health_port, or `health.host` to an address of this machine.",
            ) from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    health: Health
    registry: CollectorRegistry
    timeout = _REQUEST_TIMEOUT_S
    server_version = "topscoop"
    sys_version = ""

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._answer(HTTPStatus.OK, generate_latest(self.registry), CONTENT_TYPE_PLAIN_0_0_4)
            return
        good = {"/healthz": self.health.alive, "/readyz": self.health.ready}.get(self.path)
        if good is None:
            self._answer(HTTPStatus.NOT_FOUND, b"{}", _JSON)
            return
        status = HTTPStatus.OK if good() else HTTPStatus.SERVICE_UNAVAILABLE
        self._answer(status, orjson.dumps(self.health.document()), _JSON)

    def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: probes ask every few seconds."""
