"""The recommender's counters and its log."""

import logging
from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from cloud.jobs.values import Backlog, Lease
from cloud.recommender.values import Ending, Failed
from cloud.recommender.warm_models import WarmModels
from daemon.log_fields import fields
from wire_protocol.errors import TopscoopError

log = logging.getLogger(__name__)

_SECONDS: Final = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.12, 0.25, 0.5, 1, 2.5, 10, 60)


class RecommenderMetrics:
    """As `ports.Watch`: metrics in a registry of their own, and the events of the log."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._ended = Counter(
            "topscoop_recommender_ended", "Uploads that have ended, by how", ["end"], registry=registry
        )
        self._refused = Counter(
            "topscoop_recommender_refused_pictures",
            "Pictures that the guarded decoder refused, by reason",
            ["reason"],
            registry=registry,
        )
        self._failures = Counter(
            "topscoop_recommender_failures",
            "Attempts that failed, by whose fault it was",
            ["fault"],
            registry=registry,
        )
        self._dead = Counter("topscoop_recommender_set_aside", "Jobs that were set aside", registry=registry)
        self._promoted = Counter(
            "topscoop_recommender_promoted", "Pictures that were kept under a consent", registry=registry
        )
        self._left = Counter(
            "topscoop_recommender_left_pictures",
            "Pictures that could not be deleted at once",
            registry=registry,
        )
        self._decode = Histogram(
            "topscoop_recommender_decode_seconds",
            "Guarded decoding of one picture",
            registry=registry,
            buckets=_SECONDS,
        )
        self._inference = Histogram(
            "topscoop_recommender_inference_seconds", "The network alone", registry=registry, buckets=_SECONDS
        )
        self._total = Histogram(
            "topscoop_recommender_total_seconds",
            "From the upload's arrival to its end",
            registry=registry,
            buckets=_SECONDS,
        )
        self._waiting = Gauge(
            "topscoop_recommender_waiting", "Jobs that wait or are in work", ["tenant"], registry=registry
        )
        self._oldest = Gauge(
            "topscoop_recommender_oldest_seconds",
            "How long the oldest job has waited",
            ["tenant"],
            registry=registry,
        )
        self._set_aside = Gauge(
            "topscoop_recommender_dead", "Jobs that are set aside", ["tenant"], registry=registry
        )
        self._models = Gauge("topscoop_recommender_models", "Models kept warm", registry=registry)
        self._models_bytes = Gauge(
            "topscoop_recommender_models_bytes", "Memory they are counted with", registry=registry
        )

    def watch(self, models: WarmModels) -> None:
        """Show how the warm models are."""
        self._models.set_function(lambda: models.count)
        self._models_bytes.set_function(lambda: models.used_bytes)

    def backlog(self, found: Sequence[Backlog]) -> None:
        """What waits now, of every tenant that has a job."""
        for gauge in (self._waiting, self._oldest, self._set_aside):
            gauge.clear()
        for one in found:
            self._waiting.labels(one.tenant).set(one.waiting)
            self._oldest.labels(one.tenant).set(one.oldest_ms / 1000)
            self._set_aside.labels(one.tenant).set(one.dead)

    # ---- ports.Watch ----

    def decoded(self, seconds: float) -> None:
        """As the port says."""
        self._decode.observe(seconds)

    def ended(self, ending: Ending, total_ms: int) -> None:
        """As the port says."""
        self._total.observe(max(0, total_ms) / 1000)
        if isinstance(ending, Failed):
            self._ended.labels(ending.problem.value).inc()
            if ending.reason:
                self._refused.labels(ending.reason).inc()
            ticket, reason = ending.ticket, ending.reason or ending.problem.value
            log.info(
                "upload.failed",
                extra=fields(tenant=ticket.tenant, request_id=ticket.request.hex(), reason=reason),
            )
        else:
            self._ended.labels(ending.source).inc()
            self._inference.observe(ending.inference_ms / 1000)

    def retried(self, lease: Lease, error: Exception, *, counts: bool) -> None:
        """As the port says."""
        self._failures.labels("upload" if counts else "outage").inc()
        known = isinstance(error, TopscoopError)
        log.warning(
            "upload.retried",
            # What we did not foresee is told with its trace; it holds names and numbers, and no picture.
            exc_info=None if known else error,
            extra=fields(
                **_names(lease), attempt=lease.attempt, error=f"{type(error).__name__}: {error}"[:300]
            ),
        )

    def gave_up(self, lease: Lease, error: str) -> None:
        """As the port says."""
        self._dead.inc()
        log.error("upload.set_aside", extra=fields(**_names(lease), attempt=lease.attempt, error=error[:300]))

    def promoted(self, lease: Lease) -> None:  # noqa: ARG002 - the port's
        """As the port says."""
        self._promoted.inc()

    def left(self, error: Exception, count: int) -> None:
        """As the port says."""
        self._left.inc(count)
        log.warning("upload.left", extra=fields(count=count, error=str(error)[:300]))


def _names(lease: Lease) -> dict[str, str]:
    return {"tenant": lease.tenant, "request_id": lease.job.hex()}
