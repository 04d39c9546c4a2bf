"""One look into the intake bucket: what events did not tell is found, what has been there too long goes.

One listing answers for all tickets: the bucket holds what is under way, however many URLs were given out.
"""

import contextlib
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

from cloud.database.engine import Database
from cloud.intake.adapters import tickets
from cloud.intake.arrivals import LATE_MS, Arrivals, Source
from cloud.intake.intake_store import IntakeStore, ListedObject
from cloud.intake.looking import EVENT_MS, Step, deadline_ms, step_of, step_of_strange
from cloud.intake.values import ObjectPlace, Ticket, UploadProblem, UploadState
from daemon.log_fields import fields
from wire_protocol.errors import TopscoopError

log = logging.getLogger(__name__)

BATCH: Final = 500
"""Tickets in one statement."""


class _Overtaken(Exception):
    """A worker ended the upload first; what was changed is rolled back."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look found and did.

    Attributes:
        objects: In the bucket.
        oldest_ms: Age of the oldest picture.
        steps: How many objects were treated how.
        expired: Tickets that ended unused.
        failed: Steps that could not be done; the next look tries again.
    """

    objects: int
    oldest_ms: int
    steps: Counter[Step]
    expired: int
    failed: tuple[TopscoopError, ...]


class Look:
    """Looks; one thread at a time calls it, several processes may.

    Args:
        database: Of the cloud.
        store: The intake bucket.
        arrivals: Takes in what was found.
        threads: Objects are treated side by side in these.
        clock: Milliseconds since 1970-01-01 UTC.
        plaintext_s: `intake.plaintext_s`.
        every_s: How often somebody looks.
    """

    def __init__(
        self,
        database: Database,
        store: IntakeStore,
        arrivals: Arrivals,
        threads: Executor,
        clock: Callable[[], int],
        *,
        plaintext_s: int,
        every_s: float,
    ) -> None:
        self._database = database
        self._store = store
        self._arrivals = arrivals
        self._threads = threads
        self._clock = clock
        self._deadline_ms = deadline_ms(plaintext_s, every_s)

    def look(self) -> Looked:
        """At every object, and then at every ticket that is over.

        Raises:
            ObjectsAway: The bucket cannot be listed.
            StoreRefused: Credentials or rights are wrong.
            DatabaseAway: The database does not answer.
        """
        began_ms = self._clock()
        listed = list(self._store.listed())
        plan = list(self._plan(listed))
        done = list(self._threads.map(self._try, plan))
        failed = tuple(error for error in done if error is not None)
        # A ticket whose object could not be treated must not end as if there had been none.
        expired = 0 if failed else self._expire(began_ms - LATE_MS - EVENT_MS)
        steps = Counter(step for (step, _, _), error in zip(plan, done, strict=True) if error is None)
        return Looked(len(listed), max((one.age_ms for one in listed), default=0), steps, expired, failed)

    def _plan(
        self, listed: Sequence[ListedObject]
    ) -> Iterator[tuple[Step, ListedObject, ObjectPlace | None]]:
        by_tenant: defaultdict[str, list[tuple[ListedObject, ObjectPlace]]] = defaultdict(list)
        for one in listed:
            place = ObjectPlace.parse(one.key)
            if place is None:
                yield step_of_strange(one.age_ms), one, None
            else:
                by_tenant[place.tenant].append((one, place))
        for tenant, found in by_tenant.items():
            for start in range(0, len(found), BATCH):
                part = found[start : start + BATCH]
                known = self._tickets(tenant, [place.request for _, place in part])
                for one, place in part:
                    yield step_of(known.get(place.request), one.age_ms, self._deadline_ms), one, place

    def _tickets(self, tenant: str, requests: Sequence[bytes]) -> dict[bytes, Ticket]:
        with self._database.tenant(tenant, read_only=True) as connection:
            return dict(tickets.read(connection, tenant, requests))

    def _try(self, planned: tuple[Step, ListedObject, ObjectPlace | None]) -> TopscoopError | None:
        try:
            self._do(*planned)
        except TopscoopError as error:
            return error
        return None

    def _do(self, step: Step, listed: ListedObject, place: ObjectPlace | None) -> None:
        if step is Step.LEAVE:
            return
        if step is Step.TAKE_IN and place is not None:
            self._arrivals.heard(place, Source.LOOK)
            return
        told = fields(key=listed.key[:100], age_s=listed.age_ms // 1000)
        if step is Step.GIVE_UP:
            log.warning("upload.swept", extra=told)
        else:
            log.info("upload.leftover", extra=told)
        if step is Step.GIVE_UP and place is not None:
            self._give_up(place)
        self._store.delete(listed.key)
        if place is not None:
            with self._database.tenant(place.tenant) as connection:
                tickets.note_deleted(connection, place, self._clock())

    def _give_up(self, place: ObjectPlace) -> None:
        """Nobody looked at it in time: its job ends, and whoever waits hears it."""
        with contextlib.suppress(_Overtaken), self._database.tenant(place.tenant) as connection:
            # The job first, as a worker does: two orders of the same rows could wait for each other.
            tickets.drop_job(connection, place)
            ended = tickets.end(
                connection, place, UploadState.FAILED, UploadProblem.PICTURE_GONE, self._clock()
            )
            if not ended:
                raise _Overtaken

    def _expire(self, before_ms: int) -> int:
        expired = 0
        for tenant in self._database.tenants():
            count = BATCH
            while count == BATCH:
                with self._database.tenant(tenant) as connection:
                    count = len(tickets.expire(connection, tenant, before_ms, self._clock(), BATCH))
                expired += count
        return expired
