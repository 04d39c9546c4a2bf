"""The local API on a real server and port, around an agent in memory."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from edge_agent.adapters.http.access import LOOPBACK_NAMES, AccessRules
from edge_agent.adapters.http.app import create_app
from edge_agent.adapters.http.listening import bind_tcp, bind_unix
from edge_agent.adapters.http.server import ApiServer
from edge_agent.adapters.http.services import Services
from edge_agent.adapters.metrics import Metrics
from edge_agent.config import ApiConfig
from edge_agent.events import EventHub
from edge_agent.heartbeat import Heartbeat
from tests.builders.register import Register

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "a-token-for-tests-only"
FOREIGN = "https://pos.example"


@dataclass
class LocalApi:
    """A running API; `client` carries the pairing token, `stranger` does not."""

    url: str
    register: Register
    hub: EventHub
    heartbeat: Heartbeat
    client: httpx.Client
    stranger: httpx.Client
    loop: asyncio.AbstractEventLoop

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def on_loop(self, action: Any, *args: Any) -> None:
        """Do something on the agent's own thread."""
        done = threading.Event()
        self.loop.call_soon_threadsafe(lambda: (action(*args), done.set()))
        assert done.wait(10)

    def publish(self, kind: str, **data: object) -> None:
        self.on_loop(self.hub.publish, kind, data)


@contextmanager
def running_api(
    model_dir: Path | None, *, unix_socket: Path | None = None, **config: Any
) -> Iterator[LocalApi]:
    """Serve from a thread with a loop of its own; everything is closed at the end."""
    register = Register(model_dir, **config)
    hub = EventHub(first_id=1)
    metrics = Metrics()
    register.events = hub  # type: ignore[assignment]
    agent = register.restarted()
    agent._observe = metrics.recommended
    heartbeat = Heartbeat(register.clock.monotonic_ns())
    metrics.watch(agent.status, hub, lambda: heartbeat.age_s(register.clock.monotonic_ns()))
    services = Services(agent, hub, heartbeat, register.clock, metrics.registry, "0.0.test")
    sockets = [bind_tcp(ApiConfig(port=0))]
    if unix_socket is not None:
        sockets.append(bind_unix(unix_socket))
    port = sockets[0].getsockname()[1]
    rules = AccessRules(LOOPBACK_NAMES, port, [FOREIGN], [TOKEN, "another-till-s-token"])
    server = ApiServer(create_app(services, rules, metrics.answered), sockets)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(),), name="api")
    thread.start()
    url = f"http://127.0.0.1:{port}"
    try:
        with (
            httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as client,
            httpx.Client(base_url=url) as stranger,
        ):
            yield LocalApi(url, register, hub, heartbeat, client, stranger, loop)
    finally:
        loop.call_soon_threadsafe(hub.close)
        loop.call_soon_threadsafe(server.stop)
        thread.join(20)
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        for sock in sockets:
            sock.close()
    assert not thread.is_alive(), "the server did not stop"
