"""What Prometheus reads of the public API; routes, not addresses, are the labels."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.intake.arrivals import Arrived, Source

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30)
_PREFIX: Final = "topscoop_api_"


class ApiMetrics:
    """Counters and times of one process; it is the `Watch` of arrivals, too."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.seconds = Histogram(
            _PREFIX + "request_seconds",
            "Time until an answer's head was sent, by route",
            ["route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.answers = Counter(
            _PREFIX + "answers",
            "Answers, by route, method and HTTP status",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self.problems = Counter(
            _PREFIX + "problems", "Refusals, by problem", ["problem"], registry=self.registry
        )
        self.issued = Counter(
            _PREFIX + "uploads_issued",
            "Signed URLs given out, by purpose; repeated ones are not counted",
            ["purpose"],
            registry=self.registry,
        )
        self.arrivals = Counter(
            _PREFIX + "arrivals",
            "What came of clients' word that their picture is there",
            ["outcome"],
            registry=self.registry,
        )
        self.waiting = Gauge(
            _PREFIX + "waiting", "Clients that wait for an answer at the moment", registry=self.registry
        )
        self.queued = Gauge(
            _PREFIX + "queued", "Requests that wait for their chain's turn", registry=self.registry
        )
        self.answered = Histogram(
            _PREFIX + "arrival_to_answer_seconds",
            "From a picture's arrival to the answer of a client that waited for it",
            buckets=_BUCKETS,
            registry=self.registry,
        )

    def heard(self, source: Source, arrived: Arrived) -> None:
        """Count what came of a client's word."""
        assert source is Source.COMPLETE, "all else is heard by the intake service"
        self.arrivals.labels(str(arrived)).inc()

    def watched(self, app: ASGIApp, clock: Callable[[], float]) -> ASGIApp:
        """The application, its answers counted and timed.

        Args:
            app: What answers.
            clock: Seconds of a clock that never steps.
        """

        async def watching(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            began = clock()

            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start":
                    route = getattr(scope.get("route"), "path", "none")
                    self.seconds.labels(route).observe(clock() - began)
                    self.answers.labels(route, _known_method(scope["method"]), str(message["status"])).inc()
                    slug = scope.get("state", {}).get("problem")
                    if slug is not None:
                        self.problems.labels(slug).inc()
                await send(message)

            await app(scope, receive, sending)

        return watching


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"})


def _known_method(method: str) -> str:
    """A label that no client can invent."""
    return method if method in _METHODS else "other"
