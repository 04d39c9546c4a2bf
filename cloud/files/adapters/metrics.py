"""The file service's counters and its log."""

import logging
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from cloud.files.serve_loop import FileDesk
from cloud.releases.cached_files import CachedFiles
from daemon.log_fields import fields
from wire_protocol.errors import OperatorError, RefusedMessage, TopscoopError
from wire_protocol.fleet_messages import FileStatus

log = logging.getLogger(__name__)

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class FilesMetrics:
    """A `Watch`: metrics in a registry of their own, and the events of the log."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._answered = Counter(
            "topscoop_files_answered", "Requests that were answered, by status", ["status"], registry=registry
        )
        self._sent = Counter("topscoop_files_sent_bytes", "Bytes of files that were sent", registry=registry)
        self._refused = Counter(
            "topscoop_files_refused",
            "Requests that are not believed, by reason",
            ["reason"],
            registry=registry,
        )
        self._waits = Counter(
            "topscoop_files_waits",
            "Requests that met a database, store or key that was not there",
            ["what"],
            registry=registry,
        )
        self._failed = Counter("topscoop_files_failures", "Requests that met a defect", registry=registry)
        self._seconds = Histogram(
            "topscoop_files_answer_seconds",
            "From the request's receipt to its answer",
            registry=registry,
            buckets=_SECONDS,
        )
        self._waiting = Gauge("topscoop_files_waiting", "Requests that wait", registry=registry)
        self._memory = Gauge("topscoop_files_memory_bytes", "Files kept in memory", registry=registry)
        self._reads = Gauge(
            "topscoop_files_reads",
            "Pieces by where they came from, since the start",
            ["from"],
            registry=registry,
        )
        self._told: dict[str, str] = {}

    def watch(self, desk: FileDesk, files: CachedFiles) -> None:
        """Show how a desk and its memory are."""
        self._waiting.set_function(lambda: desk.waiting)
        self._memory.set_function(lambda: files.used_bytes)
        self._reads.labels("memory").set_function(lambda: files.hits)
        self._reads.labels("store").set_function(lambda: files.misses)

    def answered(self, status: FileStatus, size: int, took_ms: int) -> None:
        """As the port says."""
        self._answered.labels(status.value).inc()
        self._sent.inc(size)
        self._seconds.observe(max(0, took_ms) / 1000)

    def refused(self, topic: str, error: RefusedMessage) -> None:
        """As the port says."""
        self._refused.labels(error.reason.value).inc()
        log.warning(
            "file_request.refused",
            extra=fields(topic=topic[:120], reason=error.reason.value, detail=str(error)),
        )

    def waits(self, what: str, error: TopscoopError) -> None:
        """As the port says; the log tells it once, and again where it changes."""
        self._waits.labels(what).inc()
        if self._told.get(what) == str(error):
            return
        self._told[what] = str(error)
        level = logging.ERROR if isinstance(error, OperatorError) else logging.WARNING
        log.log(level, "files.waiting", extra=fields(what=what, error=str(error), remedy=error.remedy))

    def worked(self, what: str) -> None:
        """It is as it must be."""
        if self._told.pop(what, None) is not None:
            log.info("files.resumed", extra=fields(what=what))

    def failed(self, topic: str, error: Exception) -> None:
        """As the port says."""
        self._failed.inc()
        log.error("file_request.failed", extra=fields(topic=topic[:120]), exc_info=error)
