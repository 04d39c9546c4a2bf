"""The collector's counters and its log: every message leaves a count, and what is refused a line."""

import logging
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from cloud.collector.collect_loop import Collector
from cloud.collector.failures import WITHDRAWAL_FAILED
from cloud.collector.ports import Objects
from cloud.collector.values import Answered
from cloud.objects.ports import Version
from daemon.log_fields import fields
from wire_protocol.errors import TopscoopError
from wire_protocol.messages import Verdict
from wire_protocol.reasons import Reason
from wire_protocol.topics import RECEIPTED

log = logging.getLogger(__name__)

_FAST_S: Final = (0.001, 0.002, 0.004, 0.006, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LAG_S: Final = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400, 604_800, 2_592_000)
_WHY: Final = ("busy", "quota", "rate", "queue", "database", "objects", "failed")


class CollectorMetrics:
    """A `Watch`: metrics in a registry of their own, and the events of the log."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._received = Counter("topscoop_collector_received", "Messages taken in.", registry=registry)
        self._bytes = Counter("topscoop_collector_received_bytes", "Their bytes.", registry=registry)
        self._stored = Counter("topscoop_collector_stored", "Stored, by kind.", ["kind"], registry=registry)
        self._repeated = Counter(
            "topscoop_collector_repeated", "Answered from a row that was there.", registry=registry
        )
        self._refused = Counter(
            "topscoop_collector_refused", "Refused, by reason.", ["reason"], registry=registry
        )
        self._retry = Counter(
            "topscoop_collector_retry", "To be sent again, by why.", ["why"], registry=registry
        )
        self._gone = Counter("topscoop_collector_gone", "Frames of withdrawn consents.", registry=registry)
        self._unanswered = Counter(
            "topscoop_collector_unanswered", "Refused without an id to answer to.", registry=registry
        )
        self._failures = Counter(
            "topscoop_collector_failures",
            "What went wrong, by event of the log.",
            ["event"],
            registry=registry,
        )
        self._swept = Counter(
            "topscoop_collector_swept", "Versions without a row that were deleted.", registry=registry
        )
        self.put_seconds = Histogram(
            "topscoop_collector_put_seconds",
            "Time of one put, failed ones too.",
            buckets=_FAST_S,
            registry=registry,
        )
        self._receipt_seconds = Histogram(
            "topscoop_collector_receipt_seconds",
            "From a message's arrival to its receipt.",
            buckets=_FAST_S,
            registry=registry,
        )
        self._lag_seconds = Histogram(
            "topscoop_collector_lag_seconds",
            "From a register's sealing to our receipt, by both clocks.",
            buckets=_LAG_S,
            registry=registry,
        )
        # Every series exists from the start, so that a rate over it is never missing its first step.
        for kind in RECEIPTED:
            self._stored.labels(kind.value)
        for reason in Reason:
            self._refused.labels(reason.value)
        for why in _WHY:
            self._retry.labels(why)
        self._failures.labels(WITHDRAWAL_FAILED)

    def watch(self, collector: Collector) -> None:
        """Ask for these whenever somebody scrapes."""
        for name, meaning, value in (
            ("messages", "Taken in and not acknowledged.", lambda: collector.in_flight.messages),
            ("bytes", "Their bytes.", lambda: collector.in_flight.bytes),
        ):
            gauge = Gauge(f"topscoop_collector_in_flight_{name}", meaning, registry=self.registry)
            gauge.set_function(value)

    # ---- Watch ----

    def received(self, size: int) -> None:
        """As the port says."""
        self._received.inc()
        self._bytes.inc(size)

    def answered(self, answered: Answered) -> None:
        """As the port says."""
        self._receipt_seconds.observe(answered.took_ms / 1000)
        if answered.verdict is Verdict.RETRY:
            self._retry.labels(answered.detail).inc()
            return
        if answered.repeated:
            self._repeated.inc()
            return
        if answered.reason is not None:
            self._refused.labels(answered.reason.value).inc()
            if answered.verdict is None:
                self._unanswered.inc()
            log.warning("message.refused", extra=self._fields(answered))
        elif answered.verdict is Verdict.GONE:
            self._gone.inc()
            log.info("message.gone", extra=self._fields(answered))
        elif answered.verdict is Verdict.STORED:
            self._stored.labels(answered.topic.rpartition("/")[2]).inc()
            if answered.lag_ms is not None:
                self._lag_seconds.observe(max(0, answered.lag_ms) / 1000)
            if log.isEnabledFor(logging.DEBUG):
                log.debug("message.stored", extra=self._fields(answered))

    def failed(self, event: str, topic: str, error: Exception) -> None:
        """As the port says; what is expected of the world is told in a line, what is not with its trace."""
        self._failures.labels(event).inc()
        known = isinstance(error, TopscoopError)
        level = logging.WARNING if known and event != WITHDRAWAL_FAILED else logging.ERROR
        extra = fields(topic=_printable(topic), error=str(error)[:500], remedy=getattr(error, "remedy", ""))
        log.log(level, event, extra=extra, exc_info=None if known else error)

    def swept(self, version: Version) -> None:
        """As the port says."""
        self._swept.inc()
        log.info("version.swept", extra=fields(object=version.key, version=version.version))

    @staticmethod
    def _fields(answered: Answered) -> Mapping[str, object]:
        return fields(
            topic=_printable(answered.topic),
            message_id=answered.message_id.hex() if answered.message_id else "",
            reason=answered.reason.value if answered.reason else "",
            detail=answered.detail[:300],
            bytes=answered.size,
            took_ms=answered.took_ms,
        )


class TimedObjects:
    """Objects whose puts are timed."""

    def __init__(self, objects: Objects, metrics: CollectorMetrics) -> None:
        self._objects = objects
        self._metrics = metrics

    async def put(self, key: str, body: bytes, metadata: Mapping[str, str], tags: Mapping[str, str]) -> str:
        """As the port says."""
        start = perf_counter()
        try:
            return await self._objects.put(key, body, metadata, tags)
        finally:
            self._metrics.put_seconds.observe(perf_counter() - start)

    async def versions(self, prefix: str) -> Sequence[Version]:
        """As the port says."""
        return await self._objects.versions(prefix)

    async def folders(self, prefix: str) -> Sequence[str]:
        """As the port says."""
        return await self._objects.folders(prefix)

    async def metadata(self, key: str, version: str) -> Mapping[str, str] | None:
        """As the port says."""
        return await self._objects.metadata(key, version)

    async def delete(self, key: str, version: str) -> None:
        """As the port says."""
        await self._objects.delete(key, version)


def _printable(topic: str) -> str:
    return topic if topic.isprintable() else ascii(topic)
