"""One seed: a fleet, a release that is good or bad in one way, two controllers, a person, and a referee."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from random import Random

from cloud.rollout import decide as decide_module
from cloud.rollout.membership import Till as Place
from cloud.rollout.membership import members_of
from cloud.rollout.values import (
    OPEN,
    Action,
    Evidence,
    Gates,
    Mark,
    Member,
    MemberState,
    Move,
    Plan,
    Policy,
    Rollout,
    Shadow,
    Stage,
    State,
    Tell,
)
from tests.simulation.fleet.cloud import Cloud, Post
from tests.simulation.fleet.till import CONFIDENCE, LABELS, MINUTE_MS, Fault, Flaw, Order, Till, digest_of

START_MS = 1_795_000_000_000
OLD, NEW = 6, 7
REGISTERS = 200
MINUTES_MAX = 600
_AFTER = 20
"""Minutes that a rollout is watched for after its end."""
_BY_ITSELF = {Fault.SILENT, Fault.LYING}

GATES = Gates(minimum_recommendations=4000, shadow_agreement=0.6)
PLAN = Plan(
    stages=(
        Stage("first", count=10, hold_s=120),
        Stage("a quarter", share=0.25, hold_s=120),
        Stage("all", share=1.0, hold_s=120),
    ),
    gates=GATES,
    silent_after_s=1200,
    unfinished_after_s=3600,
    unreached_after_s=5400,
)


@dataclass(frozen=True)
class Mutant:
    """A rule of the controller, broken.

    Attributes:
        breaks: Enters the broken rule; called once a seed.
        unguarded: The database no longer minds the revision.
        shows: Seeds in which it may show at all.
    """

    name: str
    breaks: Callable[[], AbstractContextManager[object]] = nullcontext
    unguarded: bool = False
    shows: Callable[[int], bool] = lambda _: True


@dataclass
class Outcome:
    """How a seed ended."""

    seed: int
    flaw: Flaw
    state: State
    minutes: int
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"seed {self.seed} ({self.flaw}): {self.state} after {self.minutes} minutes; {self.violations}"


def flaw_of(seed: int) -> Flaw:
    """A third of the seeds has a good release."""
    flaws = list(Flaw)
    return flaws[seed % len(flaws)] if seed % 3 else Flaw.NONE


def withdrawn_in(seed: int) -> bool:
    """Whether the release is withdrawn on its way."""
    return seed % 17 == 16


def run_seed(seed: int, mutant: Mutant | None = None, registers: int = REGISTERS) -> Outcome:
    """Play one seed to its end; the same seed gives the same play."""
    with mutant.breaks() if mutant is not None else nullcontext():
        return Play(seed, registers, guarded=mutant is None or not mutant.unguarded).run()


class Play:
    """One seed from its first to its last minute."""

    def __init__(self, seed: int, registers: int, *, guarded: bool) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.minutes_max = MINUTES_MAX
        self.flaw = flaw_of(seed)
        self.now_ms = START_MS
        self.plan = replace(
            PLAN,
            shadow_first=self.flaw is Flaw.SHADOW or self.random.random() < 0.1,
            pace_per_minute=max(10, registers // 3),
        )
        self.tills = {till.name: till for till in self._make_tills(registers)}
        self.cloud = Cloud(self._rollout(), {}, frozenset({OLD, NEW}), guarded=guarded)
        places = [Place(till.name, till.store) for till in self.tills.values()]
        for member in members_of(self.plan, "chain", NEW, places, {}):
            self.cloud.members[member.register] = member
        self.first_orders()
        self.post = Post(self.random)
        self.violations: list[str] = []
        self.told_minutes: dict[str, int] = {}
        self.stale: tuple[object, ...] | None = None
        self.frozen_until = -1
        self.paused_until = -1
        self.withdrawn = False

    def _make_tills(self, registers: int) -> list[Till]:
        healthy, odd = 0.9, [Fault.OFFLINE, Fault.FLAKY, Fault.SLOW, Fault.SILENT, Fault.LYING]
        weights = [3, 3, 3, 1, 1]
        made = []
        for number in range(registers):
            fault = Fault.NONE
            if self.random.random() > healthy:
                fault = self.random.choices(odd, weights)[0]
            till = Till(f"till-{number}", f"shop-{number // 4}", fault, OLD)
            till.online, till.since_ms = fault is not Fault.OFFLINE, START_MS - 3_600_000
            made.append(till)
        return made

    def _rollout(self) -> Rollout:
        return Rollout(
            tenant="chain",
            rollout=b"r" * 16,
            revision=1,
            release=NEW,
            digest=digest_of(NEW),
            budget_p99_ms=10.0,
            previous=OLD,
            state=State.RUNNING,
            stage=0,
            plan=self.plan,
            baseline={
                "confidence": tuple(100.0 * part for part in CONFIDENCE),
                "labels": tuple(100.0 * part for part in LABELS),
            },
            reason=None,
            created_by="anna",
            approved_by=None,
            created_at_ms=START_MS,
            started_at_ms=START_MS,
            stage_at_ms=START_MS,
        )

    def first_orders(self) -> None:
        """Every till was told the old release once."""
        for till in self.tills.values():
            self.cloud.orders[till.name] = Order(1, OLD)
            till.generation = 1 if till.fault is not Fault.OFFLINE else 0
            self.cloud.known[till.name] = Evidence(till.name, desired_release=OLD)
            if till.online:
                self.cloud.receive(till.report(NEW, self.flaw), START_MS - MINUTE_MS)

    # ---- the play ----

    def run(self) -> Outcome:
        minute = ended = 0
        for minute in range(self.minutes_max):
            self.now_ms = START_MS + minute * MINUTE_MS
            self._fleet()
            self._person(minute)
            self.controllers(minute)
            if self.cloud.rollout.state in {State.DONE, State.RETURNED}:
                ended += 1
                if ended == 1:
                    self._at_the_end()
                if ended > _AFTER:
                    break
        self._verdict()
        return Outcome(self.seed, self.flaw, self.cloud.rollout.state, minute, self.violations)

    def _fleet(self) -> None:
        cloud, random = self.cloud, self.random
        for name, till in self.tills.items():
            if till.fault is Fault.OFFLINE:
                continue
            till.step(self.now_ms, cloud.orders.get(name), NEW, self.flaw, random)
            cloud.status(till)
            if (till.news or random.random() < 0.4) and till.speaks(NEW, self.flaw):
                self.post.send(till.report(NEW, self.flaw), self.now_ms)
        self.post.deliver(cloud, self.now_ms)
        if random.random() < 0.1:
            self.post.replay(cloud, self.now_ms)

    def _person(self, minute: int) -> None:
        cloud, random = self.cloud, self.random
        if minute == self.paused_until and cloud.rollout.state is State.PAUSED:
            cloud.person(State.RUNNING)
        if minute == self.frozen_until:
            cloud.policy = Policy()
        if withdrawn_in(self.seed) and minute == 25:
            cloud.may_run = frozenset({OLD})
            self.withdrawn = cloud.rollout.state in OPEN
        if minute > MINUTES_MAX // 2:
            return
        if cloud.rollout.state is State.RUNNING and random.random() < 0.01:
            cloud.person(State.PAUSED)
            self.paused_until = minute + random.randint(5, 30)
        elif cloud.policy == Policy() and random.random() < 0.01:
            cloud.policy = Policy(frozen="anna: heat wave")
            self.frozen_until = minute + random.randint(5, 30)

    def controllers(self, minute: int) -> None:
        """Two of them: both read, one may die, one may write what it read a minute ago."""
        cloud, random = self.cloud, self.random
        read = [cloud.snapshot(), cloud.snapshot()]
        decisions = [
            (rollout, policy, self.decide(rollout, members, known))
            for rollout, members, known, policy in (read if random.random() < 0.2 else read[:1])
        ]
        random.shuffle(decisions)
        if self.stale is not None:
            decisions.insert(random.randint(0, len(decisions)), self.stale)  # type: ignore[arg-type]
            self.stale = None
        if random.random() < 0.1:
            self.stale = decisions.pop()  # it hangs, and writes a minute later
        for rollout, policy, actions in decisions:
            before = cloud.rollout
            states = {name: member.state for name, member in cloud.members.items()} if actions else {}
            if cloud.write(rollout, policy, actions, self.now_ms) and actions:
                self._referee(minute, before, states, policy, actions)

    def decide(
        self, rollout: Rollout, members: list[Member], known: dict[str, Evidence]
    ) -> tuple[Action, ...]:
        """By the rules, or by the mutant's."""
        return decide_module.decide(rollout, members, known, self.cloud.surroundings(self.now_ms))

    # ---- the referee ----

    def _referee(
        self, minute: int, before: Rollout, states: dict[str, MemberState], policy: Policy, actions: tuple
    ) -> None:
        cloud = self.cloud
        told = [
            action.register
            for action in actions
            if isinstance(action, Shadow) or (isinstance(action, Tell) and action.release == NEW)
        ]
        for register in told:
            if cloud.members[register].stage > before.stage:
                self._wrong(f"{register} was told before its stage")
        if told and (before.state is not State.RUNNING or policy.frozen is not None):
            self._wrong(f"{len(told)} were told while {before.state}, frozen {policy.frozen}")
        self.told_minutes[minute] = self.told_minutes.get(minute, 0) + len(told)
        if self.told_minutes[minute] > self.plan.pace_per_minute:
            self._wrong(f"{self.told_minutes[minute]} told in a minute")
        after = cloud.rollout
        if before.state is State.PAUSED and after.state is State.RUNNING:
            self._wrong("a report ended a pause")
        if before.state is State.RETURNING and after.state not in {State.RETURNING, State.RETURNED}:
            self._wrong(f"a stopped rollout went on as {after.state}")
        self._check_marks(before, states, actions)
        if any(isinstance(action, Move) and action.kind in {"stage", "done"} for action in actions):
            self._moved_on(before)

    def _check_marks(self, before: Rollout, states: dict[str, MemberState], actions: tuple) -> None:
        for mark in actions:
            if not isinstance(mark, Mark) or mark.state is not MemberState.GOOD:
                continue
            if before.state in {State.RETURNING, State.RETURNED}:
                self._wrong(f"{mark.register} became good in a stopped rollout")
            if self.tills[mark.register].fault is Fault.LYING:
                self._wrong(f"{mark.register} lies, and was believed")
            if states[mark.register] is MemberState.WAITING:
                self._wrong(f"{mark.register} became good, and was never told")

    def _moved_on(self, before: Rollout) -> None:
        if self.flaw is not Flaw.NONE:
            self._wrong(f"a release that is bad by {self.flaw} passed stage {before.stage}")
        for name, member in self.cloud.members.items():
            till, waited_ms = self.tills[name], self.now_ms - (member.told_at_ms or 0)
            if member.stage > before.stage or member.state is not MemberState.TOLD:
                continue
            if till.fault is not Fault.OFFLINE or waited_ms < self.plan.unreached_after_s * 1000:
                self._wrong(f"{name} has no outcome, and its stage passed")

    def _at_the_end(self) -> None:
        """When a rollout says that it returned, no connected till runs the release."""
        if self.cloud.rollout.state is not State.RETURNED:
            return
        for till in self.tills.values():
            if till.online and till.running == NEW and till.fault not in _BY_ITSELF:
                self._wrong(f"{till.name} runs the release, and the rollout is {State.RETURNED}")

    def _verdict(self) -> None:
        state = self.cloud.rollout.state
        bad = self.flaw is not Flaw.NONE or self.withdrawn
        if bad and state is not State.RETURNED:
            self._wrong(f"a bad release ended as {state}")
        if not bad and state is not State.DONE and not self._excused():
            self._wrong(f"a good release ended as {state}: {self.cloud.rollout.reason}")
        for name, till in self.tills.items():
            member = self.cloud.members[name]
            if self.flaw is not Flaw.NONE and member.stage > 0 and (till.exposed or till.running == NEW):
                self._wrong(f"{name} of stage {member.stage} ran the release")
            if state is State.RETURNED and till.online and till.running != OLD:
                self._wrong(f"{name} runs {till.running}, not its last good release")
            reachable = till.online and till.fault in {Fault.NONE, Fault.SLOW}
            if state is State.DONE and reachable and till.running != NEW:
                self._wrong(f"{name} runs {till.running}, and the rollout is done")

    def _excused(self) -> bool:
        """A good release may return where broken tills alone are more than the error budget of its stage."""
        if self.cloud.rollout.state is not State.RETURNED:
            return False
        told = [name for name, member in self.cloud.members.items() if member.told_at_ms is not None]
        shadows = [name for name, member in self.cloud.members.items() if member.generation is not None]
        reached = set(told) | set(shadows)
        broken = sum(self.tills[name].fault in _BY_ITSELF | {Fault.FLAKY} for name in reached)
        return broken > GATES.failed_share * len(reached)

    def _wrong(self, words: str) -> None:
        if len(self.violations) < 5:
            self.violations.append(f"minute {(self.now_ms - START_MS) // MINUTE_MS}: {words}")
