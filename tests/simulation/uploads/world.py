"""Uploads in a world where events get lost, workers are killed and stall, and stores are away; one seed each.

The recommender is the real one; rows, bucket and intake are on paper. Whatever it asks of the world may take
long, fail, or be the last thing that it ever does; meanwhile the others go on.
"""

from __future__ import annotations

import heapq
import random
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from cloud.errors import DatabaseAway
from cloud.intake.looking import Step, deadline_ms, step_of
from cloud.intake.memory_intake_store import MemoryIntakeStore
from cloud.intake.values import ObjectPlace, Purpose, UploadProblem, UploadState
from cloud.intake.values import Ticket as Known
from cloud.objects.ports import ObjectsAway
from cloud.recommender.recommender import Recommender, Terms, World
from cloud.recommender.values import Champion
from inference import Manifest, Recommendation
from inference.picture.limits import refusal
from tests.builders.paper_uploads import PaperRows, some_ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cloud.jobs.values import Lease
    from cloud.recommender.values import Ending, Ticket

START_MS = 1_795_000_000_000
PLAINTEXT_S = 120
LOOK_EVERY_S = 5.0
URL_MS = 60_000
LEASE_MS = 15_000
ATTEMPTS = 3
END_MS = 400_000
KILLS_MAX = ATTEMPTS - 1
"""So many deaths and stalls do not wear out an upload; a killer in its first batch is one of them."""
IDLE_MS, BUSY_MS, REBORN_MS, AWAY_MS = 400, 20, 3_000, 1_000
CLIENTS_MS = 60_000
"""By then the last client has used its URL a last time."""
REST_MS = 40_000


class Kind(StrEnum):
    """What a picture does to whoever looks at it."""

    GOOD = "good"
    BAD = "bad"  # the decoder refuses it
    OTHER = "other"  # other bytes than announced
    POISON = "poison"  # looking at it meets a defect
    KILLER = "killer"  # looking at it kills the worker


class Killed(BaseException):
    """The worker's process is gone."""


class AtOnce(Executor):
    """Runs what it is given before it returns: a simulation has no threads."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - handed on
            future.set_exception(error)
        return future


@dataclass
class Plan:
    """One upload, as the seed has it."""

    tenant: str
    request: bytes
    kind: Kind
    purpose: Purpose
    kept: int = 0

    @property
    def key(self) -> tuple[str, bytes]:
        return self.tenant, self.request

    @property
    def place(self) -> ObjectPlace:
        return ObjectPlace(*self.key)

    @property
    def body(self) -> bytes:
        return f"{self.kind}-{self.request.hex()}".encode()


@dataclass(frozen=True)
class Mutant:
    """A defect that the simulation must find.

    Attributes:
        rows: Made instead of `PaperRows`.
        recommender: Made instead of `Recommender`.
        reads_destructively: A picture is deleted as it is read.
    """

    name: str = "none"
    rows: type[PaperRows] = PaperRows
    recommender: type[Recommender] = Recommender
    reads_destructively: bool = False


@dataclass
class Uploads:
    """The world of one seed."""

    seed: int
    manifest: Manifest
    mutant: Mutant
    now: int = START_MS
    deaths: int = 0
    violations: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.rows = self.mutant.rows(lambda: self.now, LEASE_MS)
        self.bucket = MemoryIntakeStore(lambda: self.now)
        self.outages = self.dice.random() < 0.3
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._busy: set[int] = set()
        self.depth = 0
        self.plans = [self._planned(number) for number in range(self.dice.randint(4, 12))]
        killers = any(plan.kind is Kind.KILLER for plan in self.plans)
        self.kills_left = self.dice.randint(0, KILLS_MAX - killers)
        self.erased: set[tuple[str, bytes]] = set()
        for worker in range(self.dice.randint(1, 3)):
            self.at(worker * 7, lambda worker=worker: self._work(worker))
        self.at(2_500, self._look)

    # ---- time ----

    def at(self, in_ms: int, event: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (self.now + in_ms, self._count, event))

    def pass_time(self, ms: int) -> None:
        """Let so much time pass, and everything happen that falls into it."""
        until = self.now + ms
        while self._events and self._events[0][0] <= until:
            at, _, event = heapq.heappop(self._events)
            self.now = max(self.now, at)
            event()
        self.now = max(self.now, until)

    def run(self) -> None:
        """Until everything has come to rest, and a while on; or until it never will."""
        while self.now < START_MS + CLIENTS_MS or (
            self.now < START_MS + END_MS
            and (any(not self.rows.ends[plan.key] for plan in self.plans) or any(self.bucket.listed()))
        ):
            self.pass_time(10_000)
        self.pass_time(REST_MS)

    # ---- clients, events, intake ----

    def _planned(self, number: int) -> Plan:
        dice = self.dice
        kind = dice.choices(list(Kind), [10, 2, 2, 1, 1])[0]
        purpose = dice.choice(list(Purpose))
        plan = Plan(dice.choice(["brioche", "cannoli"]), (number + 1).to_bytes(16), kind, purpose)
        announced = b"something else" if kind is Kind.OTHER else plan.body
        self.rows.uploads[plan.key] = some_ticket(*plan.key, announced, purpose=purpose)
        put_at = dice.randint(0, 20_000)
        self.at(put_at, lambda: self._put(plan))
        for _ in range(dice.choice([0, 0, 1, 1, 1, 2, 3])):  # lost, told, told again
            self.at(put_at + dice.randint(1, 30_000), lambda: self._hear(plan))
        if dice.random() < 0.1:
            self.at(put_at + dice.randint(0, 30_000), lambda: self._erase(plan))
        if dice.random() < 0.2:
            self.at(put_at + dice.randint(1, 40_000), lambda: self._put(plan))  # the URL is good for a while
        return plan

    def _put(self, plan: Plan) -> None:
        self.bucket.put(plan.place.key, plan.body, "image/jpeg")

    def _hear(self, plan: Plan) -> None:
        if self.bucket.head(plan.place.key) is None or self.rows.arrive(*plan.key):
            return
        ticket = self.rows.uploads[plan.key]
        in_use = {UploadState.ARRIVED, UploadState.DONE, UploadState.FAILED}
        if ticket.deleted or ticket.state not in in_use:
            self.bucket.delete(plan.place.key)

    def _erase(self, plan: Plan) -> None:
        if self.rows.end(plan.key, UploadState.ERASED):
            self.rows.jobs.pop(plan.key, None)
            self.erased.add(plan.key)
            self.bucket.delete(plan.place.key)

    def _look(self) -> None:
        for one in list(self.bucket.listed()):
            place = ObjectPlace.parse(one.key)
            assert place is not None
            key = (place.tenant, place.request)
            ticket = self.rows.uploads[key]
            known = Known(ticket.state, deleted=ticket.deleted)
            match step_of(known, one.age_ms, deadline_ms(PLAINTEXT_S, LOOK_EVERY_S)):
                case Step.TAKE_IN:
                    self.rows.arrive(*key)
                case Step.GIVE_UP | Step.DELETE as step:
                    if step is Step.GIVE_UP and self.rows.end(
                        key, UploadState.FAILED, UploadProblem.PICTURE_GONE
                    ):
                        self.rows.jobs.pop(key, None)
                    self.bucket.delete(one.key)
                    self.rows.deleted(place.tenant, [place.request], self.now)
        self.at(int(LOOK_EVERY_S * 1000), self._look)

    # ---- workers ----

    def _work(self, worker: int) -> None:
        pause_ms = IDLE_MS
        if self.depth < 3 and worker not in self._busy:
            self._busy.add(worker)
            self.depth += 1
            try:
                pause_ms = BUSY_MS if self._recommender().serve() else IDLE_MS
            except Killed:
                self.story.append(f"{self.now - START_MS} worker {worker} died")
                self.deaths += 1
                pause_ms = REBORN_MS
            except DatabaseAway:
                pause_ms = AWAY_MS
            finally:
                self._busy.remove(worker)
                self.depth -= 1
        self.at(pause_ms, lambda: self._work(worker))

    def _recommender(self) -> Recommender:
        ports = _Ports(self)
        world = World(
            ports, ports, ports, ports, ports.promote, ports, lambda: self.now, lambda: self.now / 1000,
            self.dice.random,
        )  # fmt: skip
        return self.mutant.recommender(world, Terms(4, ATTEMPTS, PLAINTEXT_S * 1000), AtOnce())

    def step(self, what: str, *, away: type[Exception] | None = None) -> None:
        """A worker asks the world for something: time passes; it may fail, stall or be killed here."""
        self.pass_time(self.dice.randint(0, 20))
        fate = self.dice.random()
        if fate < 0.03 and self.kills_left:
            self.kills_left -= 1
            if self.dice.random() < 0.5:
                self.story.append(f"{self.now - START_MS} killed at {what}")
                raise Killed
            self.story.append(f"{self.now - START_MS} stalled at {what}")
            self.pass_time(LEASE_MS + self.dice.randint(0, 10_000))
        if away is not None and self.outages and fate > 0.97:
            raise away("away")

    # ---- what must hold ----

    def judge(self) -> None:
        """After everything has come to rest."""
        for plan in self.plans:
            self._judge(plan)
        left = [one.key for one in self.bucket.listed()]
        if left:
            self.violations.append(f"pictures left in the bucket: {left}")

    def _judge(self, plan: Plan) -> None:
        ends, ticket = self.rows.ends[plan.key], self.rows.uploads[plan.key]
        problem = self.rows.problems.get(plan.key)
        words = f"{plan.kind} {plan.request.hex()[-2:]} of {plan.tenant}: {ends} {problem}"
        if len(ends) != 1 or ends[0] is not ticket.state:
            self.violations.append(f"not exactly one end: {words}")
        if (plan.key in self.rows.recommendations) != (ends == [UploadState.DONE]):
            self.violations.append(f"recommendation and end differ: {words}")
        if (problem is not None) != (ends == [UploadState.FAILED]):
            self.violations.append(f"a failure without its reason: {words}")
        if plan.kept > 1:
            self.violations.append(f"kept {plan.kept} times: {words}")
        if plan.kept and plan.purpose is Purpose.RECOMMEND:
            self.violations.append(f"kept without consent: {words}")
        if self.outages or plan.key in self.erased:
            return
        if problem is not _EXPECTED[plan.kind]:
            self.violations.append(f"expected {_EXPECTED[plan.kind]}: {words}")
        if plan.kind is Kind.GOOD and plan.purpose is not Purpose.RECOMMEND and not plan.kept:
            self.violations.append(f"agreed to, and not kept: {words}")


_EXPECTED = {
    Kind.GOOD: None,
    Kind.BAD: UploadProblem.BAD_PICTURE,
    Kind.OTHER: UploadProblem.WRONG_LENGTH,
    Kind.POISON: UploadProblem.REPEATEDLY_FAILED,
    Kind.KILLER: UploadProblem.REPEATEDLY_FAILED,
}


class _Ports:
    """All of the recommender's ports; each call is a step of the world; kills fall around it."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads
        self._rows = uploads.rows

    def _do(self, what: str, away: type[Exception] | None, work: Callable[[], Any]) -> Any:
        self._uploads.step(f"before {what}", away=away)
        done = work()
        self._uploads.step(f"after {what}")
        return done

    # ports.Rows

    def lease(self, limit: int) -> Any:
        return self._do("lease", DatabaseAway, lambda: self._rows.lease(limit))

    def give_back(self, leases: Sequence[Lease]) -> None:
        self._do("give_back", DatabaseAway, lambda: self._rows.give_back(leases))

    def write(self, tenant: str, endings: Sequence[tuple[Lease, Ending]], now_ms: int) -> Any:
        return self._do("write", DatabaseAway, lambda: self._rows.write(tenant, endings, now_ms))

    def finish(self, leases: Sequence[Lease]) -> None:
        self._do("finish", DatabaseAway, lambda: self._rows.finish(leases))

    def retry(self, lease: Lease, error: str, after_ms: int, *, counts: bool) -> None:
        self._do("retry", DatabaseAway, lambda: self._rows.retry(lease, error, after_ms, counts=counts))

    def give_up(self, lease: Lease, error: str, now_ms: int) -> None:
        self._do("give_up", DatabaseAway, lambda: self._rows.give_up(lease, error, now_ms))

    def deleted(self, tenant: str, requests: Sequence[bytes], now_ms: int) -> None:
        self._do("deleted", DatabaseAway, lambda: self._rows.deleted(tenant, requests, now_ms))

    # ports.Pictures

    def get(self, key: str, most_bytes: int) -> bytes:
        def read() -> bytes:
            data = self._uploads.bucket.get(key, most_bytes)
            if self._uploads.mutant.reads_destructively:
                self._uploads.bucket.delete(key)
            return data

        found: bytes = self._do("get", ObjectsAway, read)
        return found

    def delete_all(self, keys: Sequence[str]) -> None:
        self._do("delete", ObjectsAway, lambda: [self._uploads.bucket.delete(key) for key in keys])

    # ports.Decoder

    def decode(self, data: bytes) -> Any:
        self._uploads.step("decode")
        kind = data.split(b"-")[0].decode()
        if kind == Kind.BAD:
            raise refusal("undecodable", "the JPEG is damaged inside")
        if kind == Kind.POISON:
            raise ValueError("a defect that this picture meets")
        if kind == Kind.KILLER:
            raise Killed
        return np.zeros((4, 4, 3), np.uint8)

    # ports.Models

    def champion(self, tenant: str) -> Champion:
        return Champion(tenant, 1, "1", "d" * 64, "targets/releases/1/d.model.onnx", 1)

    @contextmanager
    def use(self, champion: Champion) -> Iterator[Any]:
        self._uploads.step("use")
        yield self

    @property
    def manifest(self) -> Manifest:
        return self._uploads.manifest

    def recommend(self, frame: Any, context: Any) -> Recommendation:
        scores = np.zeros(len(self.manifest.flavours), np.float32)
        return Recommendation((0, 1, 2), (0.5, 0.3, 0.2), scores, 0.0, 0.1, 0.1)

    # ports.Promote: idempotent by the request, as the real one

    def promote(self, ticket: Ticket, picture: Any) -> None:
        self._do("promote", ObjectsAway, lambda: self._keep(ticket))

    def _keep(self, ticket: Ticket) -> None:
        plan = next(one for one in self._uploads.plans if one.key == (ticket.tenant, ticket.request))
        plan.kept = 1

    # ports.Watch

    def decoded(self, seconds: float) -> None:
        pass

    def ended(self, ending: Ending, total_ms: int) -> None:
        pass

    def retried(self, lease: Lease, error: Exception, *, counts: bool) -> None:
        pass

    def gave_up(self, lease: Lease, error: str) -> None:
        pass

    def promoted(self, lease: Lease) -> None:
        pass

    def left(self, error: Exception, count: int) -> None:
        pass


def play(seed: int, manifest: Manifest, mutant: Mutant | None = None) -> Uploads:
    """One seed to its end, judged."""
    world = Uploads(seed, manifest, mutant or Mutant())
    world.run()
    world.judge()
    return world
