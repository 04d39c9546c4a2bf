"""A small honest model of a register's side of an update, and its faults.

It fetches, tries, keeps or leaves a release as the agent does, counts what a model answers, and reports what
it attests. What it says travels through `cloud.py`, late, twice or never.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cloud.rollout.values import Evidence
from wire_protocol.fleet_messages import UpdateReason, UpdateState

if TYPE_CHECKING:
    from random import Random

MINUTE_MS = 60_000
TRIAL_MS = 2 * MINUTE_MS
ANSWERS_A_MINUTE = 60
_ACTIVE = True


class Fault(StrEnum):
    """What is wrong with a till, whatever release it runs."""

    NONE = "none"
    OFFLINE = "offline"  # switched off all the time
    FLAKY = "flaky"  # comes and goes
    SLOW = "slow"  # takes long to fetch
    SILENT = "silent"  # connected, and does not report any more once it is told
    LYING = "lying"  # says good at once, and goes on with the old model


class Flaw(StrEnum):
    """In which way a release is bad; one for each gate and timer."""

    NONE = "none"
    REFUSED = "refused"  # the preflight refuses it
    TRIAL = "trial"  # the trial ends badly
    CRASHES = "crashes"  # passes its trial, and crashes later
    SLOW = "slow"
    ERRORS = "errors"
    CONFIDENCE = "confidence"
    LABELS = "labels"
    HANGS = "hangs"  # tills that run it say nothing any more
    SHADOW = "shadow"  # disagrees with the model in use; seen by a shadow alone


@dataclass(frozen=True, slots=True)
class Order:
    """A desired state as the broker retains it."""

    generation: int
    release: int | None
    shadow: int | None = None


CONFIDENCE = (0, 1, 3, 6, 10, 14, 12, 8, 4, 2)
UNSURE = (10, 14, 12, 8, 4, 2, 5, 3, 1, 1)
LABELS = (14, 12, 10, 8, 6, 5, 3, 2)
ONE_FLAVOUR = (53, 1, 1, 1, 1, 1, 1, 1)


@lru_cache
def digest_of(release: int | None) -> str:
    """The digest of a release's network; of the installed one for None."""
    return f"{release or 0:064x}"


@dataclass(frozen=True, slots=True)
class Said:
    """A report on its way; `evidence` is what the cloud knows once it has it."""

    register: str
    sequence: int
    generation: int
    runs: tuple[str, int | None]
    rest: tuple[Any, ...]

    def evidence(
        self, status: tuple[bool | None, int | None], heard_at_ms: int, desired: int | None
    ) -> Evidence:
        """With what the cloud adds: the status, when it came in, and what the till was told last."""
        known = (*status, heard_at_ms, self.generation, *self.runs, desired)
        digest = None if desired is None else digest_of(desired)
        return Evidence(self.register, *(_ACTIVE, *known, *self.rest), desired_digest=digest)


@dataclass(slots=True)
class Till:
    """One register."""

    name: str
    store: str
    fault: Fault
    running: int | None
    online: bool = True
    since_ms: int = 0
    generation: int = 0
    sequence: int = 0
    before: int | None = None
    taking: Order | None = None
    ready_ms: int = 0
    trial_until_ms: int | None = None
    update: tuple[int, UpdateState, UpdateReason | None] | None = None
    bad: set[int] = field(default_factory=set)
    shadow: int | None = None
    answers: int = 0
    errors: int = 0
    crashes: int = 0
    compared: int = 0
    exposed: bool = False
    news: bool = False
    """Its release, order or state of update changed: it reports at once, as the agent does."""

    def step(self, now_ms: int, order: Order | None, new: int, flaw: Flaw, random: Random) -> None:
        """One minute passes."""
        before = (self.running, self.update, self.generation)
        self._come_and_go(now_ms, random)
        fresh = order is not None and order.generation > self.generation
        if self.online and order is not None and fresh and random.random() < 0.7:
            self._take(order, now_ms, random)
        if self.taking is not None and now_ms >= self.ready_ms and self.online:
            self._use(self.taking, now_ms, new, flaw)
        self._trial(now_ms, new, flaw)
        if self.online:
            self._serve(new, flaw)
        self.news = self.news or before != (self.running, self.update, self.generation)

    def _come_and_go(self, now_ms: int, random: Random) -> None:
        if self.fault is Fault.FLAKY and random.random() < 0.1:
            self.online, self.since_ms = not self.online, now_ms

    def _take(self, order: Order, now_ms: int, random: Random) -> None:
        self.generation = order.generation
        self.shadow = order.shadow
        self.compared = 0
        if self.fault is Fault.LYING and order.release is not None and order.release != self.running:
            self.update = (order.release, UpdateState.GOOD, None)
            return
        if order.release == self.running:
            self.taking = None
            return
        known = order.release is None or order.release == self.before
        minutes = 0 if known else random.randint(1, 3) * (8 if self.fault is Fault.SLOW else 1)
        self.taking, self.ready_ms = order, now_ms + minutes * MINUTE_MS
        if order.release is not None:
            self.update = (order.release, UpdateState.FETCHING, None)

    def _use(self, order: Order, now_ms: int, new: int, flaw: Flaw) -> None:
        self.taking = None
        release = order.release
        if release is not None and release in self.bad:
            self.update = (release, UpdateState.REFUSED, UpdateReason.RETURNED)
            return
        if release == new and flaw is Flaw.REFUSED:
            self.update = (new, UpdateState.REFUSED, UpdateReason.GOLDEN_MISMATCH)
            return
        going_back = release != new
        self._swap(release)
        if release is None:
            self.update = None
        elif going_back:
            self.update = (release, UpdateState.GOOD, None)
        else:
            self.update = (release, UpdateState.TRIAL, None)
            self.trial_until_ms = now_ms + TRIAL_MS

    def _swap(self, release: int | None) -> None:
        self.before, self.running = self.running, release
        self.trial_until_ms = None
        self.answers = self.errors = self.crashes = 0

    def _trial(self, now_ms: int, new: int, flaw: Flaw) -> None:
        if self.trial_until_ms is None or now_ms < self.trial_until_ms:
            return
        self.trial_until_ms = None
        if flaw is Flaw.TRIAL:
            self.bad.add(new)
            self._swap(self.before)
            self.update = (new, UpdateState.BAD, UpdateReason.ERRORS)
        else:
            self.update = (new, UpdateState.GOOD, None)

    def _serve(self, new: int, flaw: Flaw) -> None:
        self.answers += ANSWERS_A_MINUTE
        if self.shadow is not None:
            self.compared += ANSWERS_A_MINUTE
        if self.running != new:
            return
        self.exposed = True
        if flaw is Flaw.ERRORS:
            self.errors += ANSWERS_A_MINUTE // 20
        if flaw is Flaw.CRASHES and self.trial_until_ms is None:
            self.crashes += 1

    def speaks(self, new: int, flaw: Flaw) -> bool:
        """Whether it reports at all."""
        if not self.online:
            return False
        if self.fault is Fault.SILENT and self.generation:
            return False
        return not (flaw is Flaw.HANGS and self.running == new)

    def report(self, new: int, flaw: Flaw) -> Said:
        """What it says now."""
        self.sequence += 1
        self.news = False
        is_new = self.running == new
        minutes = self.answers // ANSWERS_A_MINUTE
        update = self.update or (None, None, None)
        agrees = 0.2 if flaw is Flaw.SHADOW else 0.9
        return Said(
            self.name,
            self.sequence,
            self.generation,
            (digest_of(self.running), self.running),
            (
                *update,
                self.answers,
                self.errors,
                self.crashes,
                25.0 if is_new and flaw is Flaw.SLOW else 3.0,
                _times(minutes, UNSURE if is_new and flaw is Flaw.CONFIDENCE else CONFIDENCE),
                _times(minutes, ONE_FLAVOUR if is_new and flaw is Flaw.LABELS else LABELS),
                self.shadow,
                self.compared,
                int(self.compared * agrees),
                0,
                3.0 if self.shadow is not None else None,
            ),
        )


@lru_cache(maxsize=100_000)
def _times(number: int, parts: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(number * part for part in parts)
