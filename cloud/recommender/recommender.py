"""`generateRecommendation()`: lease → read → decode → recommend → write → promote or delete.

Answers come first: no picture is promoted or deleted before all results of the batch are durable. What one
upload meets ends no other: outages are waited out, anything else is tried a few times and then set aside.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from cloud.errors import DatabaseAway, ServiceKeyMissing
from cloud.intake.errors import NoBlankLeft, PromotionLater
from cloud.intake.intake_store import LongerThanAllowed
from cloud.intake.values import ObjectPlace
from cloud.jobs.back_off import retry_after_ms
from cloud.jobs.values import Lease
from cloud.objects.ports import ObjectMissing, ObjectsAway, StoreRefused
from cloud.recommender import outcome
from cloud.recommender.errors import UnusableModel
from cloud.recommender.outcome import Step
from cloud.recommender.ports import Decoder, Models, Pictures, Promote, Rows, Watch
from cloud.recommender.values import Ending, Failed, Leased, Ticket
from cloud.releases.errors import ReleasesAway, ReleasesRefused
from daemon.log_fields import fields
from inference.errors import PictureWorkerUnavailable, RefusedPicture

log = logging.getLogger(__name__)

Frame = NDArray[np.uint8]


class _OfTenant(Protocol):
    @property
    def tenant(self) -> str: ...


T = TypeVar("T", bound=_OfTenant)

READS_AT_ONCE: Final = 8
FRAMES_KEPT_BYTES: Final = 32_000_000
"""Of one batch, for promotion; a picture beyond is decoded again."""
DELETES_WAITING: Final = 4
"""Batches of one thread; more of them, and it waits for its store."""
WRITTEN_AFTER_S: Final = 0.5
"""Results wait no longer for others of the same tenant and batch."""
_OUTAGES: Final = (
    ObjectsAway,
    StoreRefused,
    ReleasesAway,
    ReleasesRefused,
    PictureWorkerUnavailable,
    NoBlankLeft,
    ServiceKeyMissing,
)
"""Nothing that an upload is to blame for; it waits until its picture must go."""
_OUTAGE_AFTER_ATTEMPTS: Final = 3
"""What an outage's pause is worth: seconds, not milliseconds."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside of the flow.

    Attributes:
        now_ms: The time of day.
        monotonic: Seconds of a clock that never steps.
        roll: At random, 0 to 1.
    """

    rows: Rows
    pictures: Pictures
    decoder: Decoder
    models: Models
    promote: Promote
    watch: Watch
    now_ms: Callable[[], int]
    monotonic: Callable[[], float]
    roll: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Terms:
    """The limits of the configuration."""

    batch_max: int
    attempts_max: int
    plaintext_ms: int


@dataclass(slots=True)
class _Task:
    """One leased upload on its way."""

    lease: Lease
    ticket: Ticket | None
    step: Step
    reading: "Future[bytes] | None" = None
    ending: Ending | None = None
    frame: Frame | None = None

    @property
    def tenant(self) -> str:
        """Whose."""
        return self.lease.tenant

    @property
    def key(self) -> str:
        """Of its picture."""
        return self.ticket.object_key if self.ticket else ObjectPlace(self.lease.tenant, self.lease.job).key


@dataclass(slots=True)
class _Batch:
    """What is left to do once the answers are out."""

    to_promote: list[_Task] = field(default_factory=list)
    to_delete: list[_Task] = field(default_factory=list)
    frames_bytes: int = 0


class Recommender:
    """One per thread; they share the world.

    Args:
        world: Everything outside.
        terms: Limits.
        readers: Read pictures ahead, and delete behind; `READS_AT_ONCE` of them.
    """

    def __init__(self, world: World, terms: Terms, readers: Executor) -> None:
        self._world = world
        self._terms = terms
        self._readers = readers
        self._deleting: deque[Future[None]] = deque()

    def serve(self, stopping: Callable[[], bool] = lambda: False) -> int:
        """One batch, from lease to deletion; says how many jobs were in it.

        Args:
            stopping: When true, tenants that were not begun are left to other workers.

        Raises:
            DatabaseAway: What was written stays; the other leases end by themselves.
        """
        leased = self._world.rows.lease(self._terms.batch_max)
        fresh = [one for one in leased if one.lease.attempt == 1]
        again = [one for one in leased if one.lease.attempt > 1]
        # Something may kill whoever looks at it: what was tried before is tried alone, and last (threat T19).
        if again[1:]:
            self._world.rows.give_back([one.lease for one in again[1:]])
        for part in (fresh, again[:1]):
            self._serve(part, stopping)
        return len(leased)

    def _serve(self, leased: Sequence[Leased], stopping: Callable[[], bool]) -> None:
        groups = [[self._task(one) for one in group] for _, group in _by_tenant(leased)]
        batch = _Batch()
        for group in groups:
            if stopping():
                self._world.rows.give_back([task.lease for task in group])
            else:
                self._answer(group, batch)
        self._promote(batch)
        self._delete(batch)

    # ---- lease, read ----

    def _task(self, leased: Leased) -> _Task:
        lease, ticket = leased.lease, leased.ticket
        step = outcome.step_of(
            ticket,
            lease.attempt,
            attempts_max=self._terms.attempts_max,
            now_ms=self._world.now_ms(),
            plaintext_ms=self._terms.plaintext_ms,
        )
        task = _Task(lease, ticket, step)
        if ticket is not None and step in {Step.LOOK, Step.PROMOTE}:
            task.reading = self._readers.submit(self._world.pictures.get, task.key, ticket.content_length)
        return task

    # ---- decode, recommend, write ----

    def _answer(self, group: Sequence[_Task], batch: _Batch) -> None:
        """The answers of one tenant, in few transactions."""
        ended: list[_Task] = []
        since = self._world.monotonic()
        for task in group:
            match task.step:
                case Step.LOOK | Step.OVERDUE:
                    if self._look(task, batch):
                        ended.append(task)
                case Step.PROMOTE:
                    batch.to_promote.append(task)
                case Step.TIDY:
                    self._world.rows.finish([task.lease])
                    batch.to_delete.append(task)
                case Step.GIVE_UP:
                    self._give_up(task.lease, "the worker died over it, or was too slow")
            if self._world.monotonic() - since > WRITTEN_AFTER_S:
                self._write(ended, batch)
                ended, since = [], self._world.monotonic()
        self._write(ended, batch)

    def _look(self, task: _Task, batch: _Batch) -> bool:
        """Find the upload's ending; False where it is tried again later."""
        assert task.ticket is not None
        if task.step is Step.OVERDUE:
            task.ending = outcome.gone(task.ticket)
            return True
        try:
            task.ending = self._ending(task, task.ticket)
        except DatabaseAway:
            raise
        except Exception as error:  # noqa: BLE001 - a defect that one upload meets ends no others
            self._failed(task.lease, error)
            return False
        if task.frame is not None and outcome.is_kept(task.ticket):
            batch.frames_bytes += task.frame.nbytes
        if not outcome.is_kept(task.ticket) or batch.frames_bytes > FRAMES_KEPT_BYTES:
            task.frame = None
        return True

    def _ending(self, task: _Task, ticket: Ticket) -> Ending:
        champion = self._world.models.champion(ticket.tenant)
        if champion is None:
            return outcome.no_model(ticket)
        read = self._read(task, ticket)
        if isinstance(read, Failed):
            return read
        try:
            task.frame = self._decoded(read)
        except RefusedPicture as error:
            return outcome.refused(ticket, error)
        try:
            with self._world.models.use(champion) as model:
                answer = model.recommend(task.frame, outcome.context_of(ticket.context))
                return outcome.recommended(ticket, champion, model.manifest, answer)
        except UnusableModel:
            return outcome.no_model(ticket)

    def _read(self, task: _Task, ticket: Ticket) -> bytes | Failed:
        assert task.reading is not None
        try:
            data = task.reading.result()
        except ObjectMissing:
            return outcome.gone(ticket)
        except LongerThanAllowed:
            return outcome.too_long(ticket)
        return outcome.problem_of_bytes(ticket, data) or data

    def _decoded(self, data: bytes) -> Frame:
        started = self._world.monotonic()
        try:
            return self._world.decoder.decode(data)
        finally:
            self._world.watch.decoded(self._world.monotonic() - started)

    def _write(self, ended: Sequence[_Task], batch: _Batch) -> None:
        if not ended:
            return
        now_ms = self._world.now_ms()
        endings = [(task.lease, task.ending) for task in ended if task.ending is not None]
        try:
            written = self._world.rows.write(ended[0].lease.tenant, endings, now_ms)
        except DatabaseAway:
            raise
        except Exception as error:  # noqa: BLE001 - a row that cannot be written takes no others along (T19)
            if len(ended) == 1:
                self._failed(ended[0].lease, error)
            else:
                for task in ended:
                    self._write([task], batch)
            return
        for task in ended:
            if task.lease.job not in written:
                continue  # another worker's by now, or taken back: whoever did that sees to the picture
            assert task.ticket is not None
            assert task.ending is not None
            self._world.watch.ended(task.ending, now_ms - task.ticket.arrived_at_ms)
            kept = outcome.is_kept(task.ticket) and not isinstance(task.ending, Failed)
            (batch.to_promote if kept else batch.to_delete).append(task)

    # ---- promote, delete ----

    def _promote(self, batch: _Batch) -> None:
        for task in batch.to_promote:
            assert task.ticket is not None
            try:
                frame = self._frame_again(task, task.ticket) if task.frame is None else task.frame
                if frame is not None:
                    self._world.promote(task.ticket, frame)
            except DatabaseAway:
                raise
            except PromotionLater as error:
                # Sealed, and brought to its bucket without the pixels: those need not wait for it (T26).
                log.info("promotion.waiting", extra=fields(tenant=task.tenant, error=str(error)))
            except Exception as error:  # noqa: BLE001 - a defect that one upload meets ends no others
                self._failed(task.lease, error)
                continue
            self._world.rows.finish([task.lease])
            self._world.watch.promoted(task.lease)
            batch.to_delete.append(task)

    def _frame_again(self, task: _Task, ticket: Ticket) -> Frame | None:
        """The picture of an upload that was answered before; None where it is gone."""
        if task.reading is None:
            return None
        read = self._read(task, ticket)
        return None if isinstance(read, Failed) else self._decoded(read)

    def _delete(self, batch: _Batch) -> None:
        """Behind the next batch: a store takes its time for it, and nobody waits for that."""
        if not batch.to_delete:
            return
        keys = [task.key for task in batch.to_delete]
        requests = [
            (tenant, [task.lease.job for task in tasks]) for tenant, tasks in _by_tenant(batch.to_delete)
        ]
        self._deleting.append(self._readers.submit(self._delete_now, keys, requests))
        while len(self._deleting) > DELETES_WAITING:
            self._deleting.popleft().result()

    def _delete_now(self, keys: Sequence[str], requests: Sequence[tuple[str, list[bytes]]]) -> None:
        try:
            self._world.pictures.delete_all(keys)
            for tenant, those in requests:
                self._world.rows.deleted(tenant, those, self._world.now_ms())
        except (ObjectsAway, StoreRefused, DatabaseAway) as error:
            self._world.watch.left(error, len(keys))

    # ---- fail ----

    def _failed(self, lease: Lease, error: Exception) -> None:
        counts = not isinstance(error, _OUTAGES)
        words = f"{type(error).__name__}: {error}"
        self._world.watch.retried(lease, error, counts=counts)
        if counts and lease.attempt >= self._terms.attempts_max:
            self._give_up(lease, words)
            return
        attempt = lease.attempt if counts else _OUTAGE_AFTER_ATTEMPTS
        after_ms = retry_after_ms(attempt, self._world.roll())
        self._world.rows.retry(lease, words, after_ms, counts=counts)

    def _give_up(self, lease: Lease, error: str) -> None:
        self._world.watch.gave_up(lease, error)
        self._world.rows.give_up(lease, error, self._world.now_ms())


def _by_tenant(ours: Sequence[T]) -> list[tuple[str, list[T]]]:
    """Grouped; the tenant with the fewest first, so that nobody waits for another's many (threat T27)."""
    groups: dict[str, list[T]] = {}
    for one in ours:
        groups.setdefault(one.tenant, []).append(one)
    return sorted(groups.items(), key=lambda group: len(group[1]))
