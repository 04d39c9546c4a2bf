"""What Prometheus reads of the console."""

from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class ConsoleMetrics:
    """Counters and times."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.seconds = Histogram(
            "topscoop_console_request_seconds",
            "Time until an answer's head was sent, by route",
            ["route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.answers = Counter(
            "topscoop_console_answers",
            "Answers, by route and HTTP status",
            ["route", "status"],
            registry=self.registry,
        )
        self.streams = Gauge(
            "topscoop_console_streams", "Pages that are live at the moment", registry=self.registry
        )

    def watched(self, app: ASGIApp, clock: Any) -> ASGIApp:
        """The application, its answers counted and timed; routes, not addresses, are the labels."""

        async def watching(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            began = clock()

            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start":
                    route = getattr(scope.get("route"), "path", "none")
                    self.seconds.labels(route).observe(clock() - began)
                    self.answers.labels(route, str(message["status"])).inc()
                await send(message)

            await app(scope, receive, sending)

        return watching
