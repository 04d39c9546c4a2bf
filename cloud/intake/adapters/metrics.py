"""What Prometheus and the supervisor see of intake."""

import logging
from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from cloud.errors import DatabaseAway
from cloud.health import Health
from cloud.intake.arrivals import Arrived, Source
from cloud.intake.events import Heard
from cloud.intake.look import Looked
from cloud.intake.looking import Step
from cloud.outage_log import DatabaseOutage
from daemon.log_fields import fields
from wire_protocol.errors import OperatorError, TopscoopError

log = logging.getLogger(__name__)

LOOK: Final = "look"
_DELETED: Final[Mapping[Arrived, str]] = {
    Arrived.REFUSED: "refused",
    Arrived.LATE: "late",
    Arrived.UNWANTED: "unwanted",
}
_SWEPT: Final[Mapping[Step, str]] = {Step.GIVE_UP: "overdue", Step.DELETE: "leftover"}


class ArrivalMetrics:
    """Arrivals as the watch of `cloud.intake.arrivals`: the public API has them too, of its clients.

    Args:
        registry: Of the process.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.arrivals = Counter(
            "topscoop_intake_arrivals",
            "Objects that somebody told of, by who told and what came of it",
            ["source", "result"],
            registry=registry,
        )
        self.deleted = Counter(
            "topscoop_intake_deleted",
            "Objects that were deleted unread, by reason",
            ["reason"],
            registry=registry,
        )

    def heard(self, source: Source, arrived: Arrived) -> None:
        """As `arrivals.Watch`."""
        self.arrivals.labels(source.value, arrived.value).inc()
        if arrived in _DELETED:
            self.deleted.labels(_DELETED[arrived]).inc()


class IntakeWatch(ArrivalMetrics):
    """All that intake's tasks tell; any thread may call it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        super().__init__(self.registry)
        self.health = Health(LOOK)
        self._messages = Counter(
            "topscoop_intake_messages",
            "Messages of S3 servers, by source and what they were",
            ["source", "kind"],
            registry=self.registry,
        )
        self._strangers = Counter(
            "topscoop_intake_strangers",
            "Requests to the webhook without the token",
            registry=self.registry,
        )
        self._objects = Gauge(
            "topscoop_intake_objects", "Objects in the bucket at the last look", registry=self.registry
        )
        self._oldest = Gauge(
            "topscoop_intake_oldest_seconds",
            "Age of the oldest picture in the bucket at the last look",
            registry=self.registry,
        )
        self._expired = Counter(
            "topscoop_intake_expired", "Tickets that nobody used in time", registry=self.registry
        )
        self._forgotten = Counter(
            "topscoop_intake_forgotten",
            "Rows of uploads and recommendations that were over",
            registry=self.registry,
        )
        self._failed = Counter(
            "topscoop_intake_failures",
            "What could not be done and is tried again",
            ["what"],
            registry=self.registry,
        )
        self._told: dict[str, str] = {}
        self._outage = DatabaseOutage()

    def told(self, source: Source, heard: Heard) -> None:
        """As `webhook.Watch`."""
        self._messages.labels(source.value, "event" if heard.places else "nothing-of-ours").inc()

    def garbage(self, source: Source) -> None:
        """As `webhook.Watch`."""
        self._messages.labels(source.value, "garbage").inc()

    def stranger(self) -> None:
        """As `webhook.Watch`."""
        self._strangers.inc()
        log.warning("webhook.refused", extra=fields(reason="token"))

    def worked(self, source: Source) -> None:
        """As `webhook.Watch`."""
        self._goes_on(source.value)

    def failed(self, source: Source, error: TopscoopError) -> None:
        """As `webhook.Watch`."""
        self._waits(source.value, error)

    def looked(self, looked: Looked) -> None:
        """As `reconcile_loop.Watch`."""
        self._objects.set(looked.objects)
        self._oldest.set(looked.oldest_ms / 1000)
        self._expired.inc(looked.expired)
        for step, reason in _SWEPT.items():
            self.deleted.labels(reason).inc(looked.steps[step])
        if looked.failed:
            self.look_failed(looked.failed[0])
        else:
            self._goes_on(LOOK)
            self.health.report(LOOK, ok=True)

    def look_failed(self, error: TopscoopError) -> None:
        """As `reconcile_loop.Watch`."""
        self._waits(LOOK, error)
        self.health.report(LOOK, ok=False, words=str(error))

    def forgot(self, count: int) -> None:
        """As `reconcile_loop.Watch`."""
        self._forgotten.inc(count)
        self._goes_on("forget")

    def forget_failed(self, error: TopscoopError) -> None:
        """As `reconcile_loop.Watch`."""
        self._waits("forget", error)

    def _waits(self, what: str, error: TopscoopError) -> None:
        """A trouble is told once, until it is over."""
        self._failed.labels(what).inc()
        if isinstance(error, DatabaseAway):
            self._outage.failed(what, error)
        elif self._told.get(what) != str(error):
            self._told[what] = str(error)
            level = logging.ERROR if isinstance(error, OperatorError) else logging.WARNING
            extra = fields(what=what, error=str(error)[:500], remedy=error.remedy)
            log.log(level, "intake.waiting", extra=extra)

    def _goes_on(self, what: str) -> None:
        self._outage.worked(what)
        if self._told.pop(what, None) is not None:
            log.info("intake.resumed", extra=fields(what=what))
