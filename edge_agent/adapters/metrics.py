"""What Prometheus reads at /metrics: counted while it happens, or asked of the agent when it is scraped."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from edge_agent.events import EventHub
from edge_agent.impression import Arm, Impression, Reason, Source
from edge_agent.ports import CameraState
from edge_agent.status import Status

_MILLISECONDS: Final = (0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 4, 6, 10, 20, 50)
FAST_BUCKETS_S: Final = tuple(milliseconds / 1000 for milliseconds in _MILLISECONDS)
"""The library's own buckets begin at 5 ms, where this agent is long done."""
_AGE_BUCKETS_S: Final = (0.01, 0.02, 0.035, 0.05, 0.07, 0.1, 0.15, 0.25, 0.5, 1, 2)
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT"})
_MS_PER_S: Final = 1000


class Metrics:
    """The agent's metrics in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._recommendations = Counter(
            "topscoop_recommendations",
            "Slates by the arm that was drawn and by what they really are.",
            ["arm", "source"],
            registry=self.registry,
        )
        self._fallbacks = Counter(
            "topscoop_fallbacks",
            "Slates of best-sellers by reason, the control arm's included.",
            ["reason"],
            registry=self.registry,
        )
        self._inference = self._histogram(
            "topscoop_inference_seconds", "Time in the network.", FAST_BUCKETS_S
        )
        self._total = self._histogram(
            "topscoop_recommendation_seconds", "From the trigger to the recorded slate.", FAST_BUCKETS_S
        )
        self._frame_age = self._histogram(
            "topscoop_frame_age_seconds", "Age of the picture that a slate was made from.", _AGE_BUCKETS_S
        )
        self._loop_lag = self._histogram(
            "topscoop_event_loop_lag_seconds", "How late the loop's one-second tick came.", FAST_BUCKETS_S
        )
        self._request_time = Histogram(
            "topscoop_http_request_seconds",
            "Time in the agent, by route; a stream counts until it ends.",
            ["route"],
            buckets=FAST_BUCKETS_S,
            registry=self.registry,
        )
        self._requests = Counter(
            "topscoop_http_requests", "Answers.", ["route", "method", "status"], registry=self.registry
        )
        # Every series exists from the start, so that a rate over it is never missing its first step.
        for arm in Arm:
            for source in Source:
                self._recommendations.labels(arm.value, source.value)
        for reason in Reason:
            self._fallbacks.labels(reason.value)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, meaning, buckets=buckets, registry=self.registry)

    def recommended(self, impression: Impression) -> None:
        """Count one slate; called by the agent while the till waits."""
        self._recommendations.labels(impression.arm.value, impression.source.value).inc()
        if impression.reason is not None:
            self._fallbacks.labels(impression.reason.value).inc()
        if impression.inference_ms is not None:
            self._inference.observe(impression.inference_ms / _MS_PER_S)
        if impression.frame_age_ms is not None:
            self._frame_age.observe(impression.frame_age_ms / _MS_PER_S)
        self._total.observe(impression.total_ms / _MS_PER_S)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one HTTP answer."""
        self._requests.labels(route, method if method in _METHODS else "other", str(status)).inc()
        self._request_time.labels(route).observe(seconds)

    def ticked(self, lag_s: float) -> None:
        """Note how late the event loop was."""
        self._loop_lag.observe(lag_s)

    def watch(
        self, status: Callable[[], Status], events: EventHub, heartbeat_age_s: Callable[[], float]
    ) -> None:
        """Ask these whenever somebody scrapes."""
        self.registry.register(_Scraped(status, events, heartbeat_age_s))


class _Scraped:
    """States that need no counting: they are read when asked for."""

    def __init__(
        self, status: Callable[[], Status], events: EventHub, heartbeat_age_s: Callable[[], float]
    ) -> None:
        self._status = status
        self._events = events
        self._heartbeat_age_s = heartbeat_age_s

    def collect(self) -> Iterator[Metric]:
        """The metrics of this moment."""
        status = self._status()
        yield _camera(status)
        yield _model(status)
        yield from _gauges(
            [
                ("topscoop_menu_in_stock", "Flavours in stock.", status.in_stock),
                ("topscoop_menu_catalogue", "Flavours of the model in use.", status.catalogue),
                (
                    "topscoop_open_interactions",
                    "Interactions without purchase or end.",
                    status.open_interactions,
                ),
                ("topscoop_event_subscribers", "Listeners of /v1/events.", self._events.subscribers),
                (
                    "topscoop_heartbeat_age_seconds",
                    "Since the inference loop came round.",
                    self._heartbeat_age_s(),
                ),
            ]
        )
        yield _counter(
            "topscoop_model_failures", "Answers of the network that were no use.", status.model_failures
        )
        yield _counter(
            "topscoop_event_subscribers_dropped",
            "Listeners that were too slow.",
            self._events.dropped_subscribers,
        )
        # A gauge, because `waiting` and `refusing` stand among the counts.
        journal = GaugeMetricFamily("topscoop_journal_records", "Counts of the journal.", labels=["kind"])
        for kind, count in status.journal.items():
            journal.add_metric([kind], count)
        yield journal

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask an agent that is not complete yet."""
        return ()


def _camera(status: Status) -> Metric:
    camera = GaugeMetricFamily(
        "topscoop_camera_state", "1 for the state that the camera is in.", labels=["state"]
    )
    for state in CameraState:
        camera.add_metric([state.value], float(state is status.camera))
    return camera


def _model(status: Status) -> Metric:
    model = InfoMetricFamily("topscoop_model", "The model in use; absent where none loads.")
    if status.model is not None:
        model.add_metric(
            [], {"name": status.model.name, "version": status.model.version, "digest": status.model.digest}
        )
    return model


def _gauges(values: Iterable[tuple[str, str, float]]) -> Iterator[Metric]:
    for name, meaning, value in values:
        yield GaugeMetricFamily(name, meaning, value=value)


def _counter(name: str, meaning: str, value: float) -> Metric:
    return CounterMetricFamily(name, meaning, value=value)
