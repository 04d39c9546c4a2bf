"""The cloud's side in memory: what the database keeps, guarded by the rollout's revision, and the intake.

`writes.py` does the same in SQL; tests/contract/test_rollout_tick.py runs seeds of this simulation over it.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cloud.rollout.values import (
    Action,
    Evidence,
    Mark,
    Member,
    Move,
    Policy,
    Rollout,
    Shadow,
    State,
    Surroundings,
    Tell,
)
from tests.simulation.fleet.till import Order, digest_of

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.fleet.till import Said, Till


@dataclass
class Cloud:
    """One chain's rollout and what is known of its registers."""

    rollout: Rollout
    members: dict[str, Member]
    may_run: frozenset[int]
    orders: dict[str, Order] = field(default_factory=dict)
    known: dict[str, Evidence] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    guarded: bool = True

    def surroundings(self, now_ms: int) -> Surroundings:
        return Surroundings(now_ms, self.may_run, self.policy)

    def snapshot(self) -> tuple[Rollout, list[Member], dict[str, Evidence], Policy]:
        """What a controller reads."""
        return self.rollout, list(self.members.values()), dict(self.known), self.policy

    def write(self, read: Rollout, policy: Policy, actions: tuple[Action, ...], now_ms: int) -> bool:
        """All of a decision, or nothing of it where the rollout or the policy changed since it was read."""
        if self.guarded and (read.revision != self.rollout.revision or policy != self.policy):
            return False
        if not actions:
            return True
        ordered = set()
        for action in actions:
            if isinstance(action, Tell | Shadow):
                ordered.add(action.register)
                self._order(action)
        marks = {action.register: action for action in actions if isinstance(action, Mark)}
        for register, mark in marks.items():
            self._mark(register, mark, ordered, now_ms)
        for action in actions:
            if isinstance(action, Move):
                failed = action.kind == "failed"
                self.rollout = replace(
                    self.rollout,
                    state=action.state,
                    stage=action.stage,
                    stage_at_ms=now_ms,
                    reason=action.words if failed else self.rollout.reason,
                )
        self.rollout = replace(self.rollout, revision=self.rollout.revision + 1)
        return True

    def _order(self, action: Tell | Shadow) -> None:
        present = self.orders.get(action.register, Order(0, None))
        if isinstance(action, Tell):
            order = Order(present.generation + 1, action.release)
        else:
            order = Order(present.generation + 1, present.release, self.rollout.release)
        self.orders[action.register] = order
        if action.register in self.known:
            digest = None if order.release is None else digest_of(order.release)
            self.known[action.register] = replace(
                self.known[action.register], desired_release=order.release, desired_digest=digest
            )

    def _mark(self, register: str, mark: Mark, ordered: set[str], now_ms: int) -> None:
        member = replace(self.members[register], state=mark.state, reason=mark.reason, changed_at_ms=now_ms)
        if mark.told:
            member = replace(member, told_at_ms=now_ms, previous=mark.previous)
        if register in ordered:
            member = replace(member, generation=self.orders[register].generation)
        self.members[register] = member

    # ---- a person ----

    def person(self, state: State) -> None:
        """What the desk writes."""
        self.rollout = replace(
            self.rollout, state=state, reason="a person", revision=self.rollout.revision + 1
        )

    # ---- reports ----

    def status(self, till: Till) -> None:
        """The broker tells who is connected."""
        present = self.known.get(till.name) or Evidence(till.name)
        if (present.online, present.since_ms) != (till.online, till.since_ms):
            self.known[till.name] = replace(present, online=till.online, since_ms=till.since_ms)

    def receive(self, said: Said, now_ms: int) -> None:
        """A report; an older one never replaces a newer one."""
        register = said.register
        if said.sequence <= self.sequences.get(register, 0):
            return
        self.sequences[register] = said.sequence
        present, order = self.known.get(register), self.orders.get(register)
        status = (None, None) if present is None else (present.online, present.since_ms)
        desired = None if order is None else order.release
        self.known[register] = said.evidence(status, now_ms, desired)


@dataclass
class Post:
    """Reports on their way: lost, late, twice, in another order."""

    random: Random
    lost: float = 0.1
    way: list[tuple[int, int, Said]] = field(default_factory=list)
    kept: list[Said] = field(default_factory=list)
    count: int = 0

    def send(self, said: Said, now_ms: int) -> None:
        luck = self.random.random()
        if luck < self.lost:
            return
        copies = 2 if luck > 0.9 else 1
        for _ in range(copies):
            late_ms = self.random.choice((0, 0, 0, 60_000, 240_000))
            self.count += 1
            heapq.heappush(self.way, (now_ms + late_ms, self.count, said))
        if luck > 0.85:
            self.kept.append(said)

    def deliver(self, cloud: Cloud, now_ms: int) -> None:
        while self.way and self.way[0][0] <= now_ms:
            cloud.receive(heapq.heappop(self.way)[-1], now_ms)

    def replay(self, cloud: Cloud, now_ms: int) -> None:
        """Everything that was kept, once more and in disorder."""
        self.random.shuffle(self.kept)
        for said in self.kept:
            cloud.receive(said, now_ms)
