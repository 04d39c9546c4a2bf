"""A picture has arrived: whoever says so, and however often, one ticket is consumed and one job made.

The ticket decides, not the event. Nothing here reads a picture: an object without a live ticket is deleted
unread.
"""

import logging
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Protocol

from cloud.database.engine import Database
from cloud.intake.adapters import tickets
from cloud.intake.intake_store import IntakeStore, ObjectHead
from cloud.intake.values import ObjectPlace, Terms, UploadProblem, UploadState
from cloud.jobs.queue import enqueue
from cloud.jobs.values import Queue
from daemon.log_fields import fields

log = logging.getLogger(__name__)

LATE_MS: Final = 15_000
"""A PUT that began while its URL was good may end so much later: stores look at the clock when it begins."""


class Source(StrEnum):
    """Who says that a picture has arrived."""

    SQS = "sqs"
    WEBHOOK = "webhook"
    COMPLETE = "complete"  # the client itself
    LOOK = "look"  # ours, into the bucket


class Arrived(StrEnum):
    """What came of it."""

    ACCEPTED = "accepted"  # the ticket is consumed, a job waits
    KNOWN = "known"  # it was told before
    NOTHING = "nothing"  # there is no object
    REFUSED = "refused"  # another length or type than announced: this upload failed
    LATE = "late"  # put when its URL was over, or found when it had to be gone: this upload ended
    UNWANTED = "unwanted"  # no live ticket: never issued, ended, or consumed by an object that is gone


_DELETED: Final = frozenset({Arrived.REFUSED, Arrived.LATE, Arrived.UNWANTED})
_IN_USE: Final = frozenset({UploadState.ARRIVED, UploadState.DONE, UploadState.FAILED})
"""Somebody may still work with the object, unless it was noted as deleted."""


def arrive(
    database: Database, place: ObjectPlace, seen: ObjectHead, now_ms: int, *, plaintext_s: int
) -> Arrived:
    """Consume the ticket of an object that lies in the bucket, and enqueue its job, in one transaction.

    Idempotent: the second time nothing changes.

    Args:
        database: Of the cloud.
        place: Where the object lies.
        seen: What the store says of it.
        now_ms: Now.
        plaintext_s: No picture may stay longer; an older one is not taken any more.

    Returns:
        What came of it; never `NOTHING`. The caller deletes the object after `REFUSED`, `LATE`, `UNWANTED`.

    Raises:
        DatabaseAway: Nothing changed; tell it again.
    """
    with database.tenant(place.tenant) as connection:
        terms = tickets.consume(connection, place, now_ms)
        if terms is None:
            ticket = tickets.read(connection, place.tenant, [place.request]).get(place.request)
            in_use = ticket is not None and ticket.state in _IN_USE and not ticket.deleted
            return Arrived.KNOWN if in_use else Arrived.UNWANTED
        if seen.age_ms > plaintext_s * 1000:
            tickets.end(connection, place, UploadState.FAILED, UploadProblem.PICTURE_GONE, now_ms)
            return Arrived.LATE
        if now_ms - seen.age_ms > terms.expires_at_ms + LATE_MS:
            tickets.end(connection, place, UploadState.EXPIRED, None, now_ms)
            return Arrived.LATE
        problem = mismatch(terms, seen)
        if problem is not None:
            tickets.end(connection, place, UploadState.FAILED, problem, now_ms)
            return Arrived.REFUSED
        enqueue(connection, place.tenant, Queue.RECOMMEND, place.request, now_ms)
        return Arrived.ACCEPTED


def mismatch(terms: Terms, seen: ObjectHead) -> UploadProblem | None:
    """What differs between announcement and object, as far as it shows without reading; None: nothing."""
    if seen.size != terms.content_length:
        return UploadProblem.WRONG_LENGTH
    return None if seen.content_type == terms.content_type else UploadProblem.WRONG_TYPE


class Watch(Protocol):
    """Who counts arrivals."""

    def heard(self, source: Source, arrived: Arrived) -> None:
        """Somebody told of an object, and this came of it."""


class Arrivals:
    """Takes in what sources tell; any thread may call it.

    Args:
        database: Of the cloud.
        store: The intake bucket.
        watch: Counts.
        clock: Milliseconds since 1970-01-01 UTC.
        plaintext_s: `intake.plaintext_s`.
    """

    def __init__(
        self,
        database: Database,
        store: IntakeStore,
        watch: Watch,
        clock: Callable[[], int],
        plaintext_s: int,
    ) -> None:
        self._database = database
        self._store = store
        self._watch = watch
        self._clock = clock
        self._plaintext_s = plaintext_s

    def heard(self, place: ObjectPlace, source: Source) -> Arrived:
        """Ask the store what lies there, and act on it; when this returns, it is durable.

        Raises:
            ObjectsAway: The store does not answer: tell it again.
            StoreRefused: Credentials or rights are wrong.
            DatabaseAway: As `arrive`.
        """
        arrived = self._take(place)
        self._watch.heard(source, arrived)
        return arrived

    def _take(self, place: ObjectPlace) -> Arrived:
        seen = self._store.head(place.key)
        if seen is None:
            return Arrived.NOTHING
        arrived = arrive(self._database, place, seen, self._clock(), plaintext_s=self._plaintext_s)
        if arrived not in _DELETED:
            return arrived
        if arrived is Arrived.UNWANTED and self._store.head(place.key) is None:
            return Arrived.KNOWN  # whoever was done with it deleted it while we asked
        log.warning(
            "upload.deleted",
            extra=fields(tenant=place.tenant, request_id=place.request.hex(), reason=arrived.value),
        )
        self._store.delete(place.key)
        with self._database.tenant(place.tenant) as connection:
            tickets.note_deleted(connection, place, self._clock())
        return arrived
