"""Invariant 6: whatever happens to a register's releases, power cuts too, none runs that may not."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge_agent.updates import transitions
from edge_agent.updates.choice import BESTSELLERS, Choice, Source, candidates, may_run, previous, why_not
from edge_agent.updates.errand import Failed
from edge_agent.updates.facts import Facts, from_json, to_json
from edge_agent.updates.plan import Fetch, Nothing, Settle, Use, plan
from edge_agent.updates.slots import Verdict
from tests.builders.update_facts import digest_of, done, order, verified
from wire_protocol.fleet_messages import UpdateReason

RELEASES = st.integers(1, 6)


class Releases(RuleBasedStateMachine):
    """One register under a hostile schedule. What a rule does is durable at its end: there power goes."""

    def __init__(self) -> None:
        super().__init__()
        self.facts = transitions.started(Facts(), 1)
        self.now_ms = 1
        self.transactions = 0
        self.withdrawn: set[int] = set()
        self.floor = 0
        self.highest_floor = 0
        self.highest_generation = 0
        self.passed: set[int] = set()
        self.left: set[int] = set()
        """What the chain, or a person, has turned away from, and no order wanted since."""

    def _keep(self, facts: Facts) -> None:
        """Through the disk, as the loop does."""
        self.facts = from_json(to_json(facts))
        self.now_ms += 1

    # ---- the cloud, honest or replayed -----------------------------------------------------------------

    @rule(
        generation=st.integers(1, 40),
        release=st.none() | RELEASES,
        rollout=st.sampled_from(["aa" * 16, "bb" * 16]),
        shadow=st.none() | RELEASES,
    )
    def order_comes(self, generation: int, release: int | None, rollout: str, shadow: int | None) -> None:
        self._order(generation, release, rollout, shadow)

    def _order(self, generation: int, release: int | None, rollout: str, shadow: int | None = None) -> None:
        self.transactions += 1
        wanted = order(generation, release, rollout=rollout, shadow=shadow)
        before = self.facts
        after = transitions.ordered(before, wanted, f"{self.transactions:032x}", self.now_ms)
        assert (after is None) == (generation <= before.generation and before.order is not None)
        if after is not None:
            self.left |= {one for one in range(1, 7) if release is None or one > release}
            self.left.discard(release or 0)
            self._keep(after)

    @rule(release=RELEASES)
    def release_is_withdrawn(self, release: int) -> None:
        self.withdrawn.add(release)

    @rule(floor=st.integers(0, 5))
    def floor_is_signed(self, floor: int) -> None:
        self.floor = floor  # an attacker's older metadata is tried here, too

    # ---- the register ----------------------------------------------------------------------------------

    def _settle(self) -> None:
        choice = candidates(self.facts)[0]
        if choice.release != self.facts.active:
            self._keep(transitions.settled_on(self.facts, choice, self.now_ms))

    @rule(outcome=st.sampled_from(["done", "passing", "final"]))
    def plan_is_followed(self, outcome: str) -> None:
        self._follow(outcome)

    def _follow(self, outcome: str) -> None:
        listed = {"withdrawn": sorted(self.withdrawn), "floor": self.floor}
        match plan(self.facts):
            case Use(choice):
                assert choice.slot is None or may_run(self.facts, choice.slot)
                self._keep(transitions.activated(self.facts, choice, self.now_ms))
            case Settle(state, reason, words):
                assert self.facts.attempt is not None
                attempt = self.facts.attempt.moved(state, self.now_ms, reason, words)
                self._keep(replace(self.facts, attempt=attempt))
            case Fetch(release) if outcome == "done" and release not in self.withdrawn:
                if release is not None and release < max(self.floor, self.facts.floor):
                    return
                result = done(release, **listed)
                facts = transitions.looked(self.facts, result.verified, self.facts.generation)
                if release is not None:
                    facts = transitions.staged(facts, result, self.now_ms)
                self._keep(facts)
            case Fetch(_, _, shadow):
                facts = transitions.looked(self.facts, verified(**listed), self.facts.generation)
                failure = Failed(UpdateReason.NOT_A_MODEL, "no", passing=outcome == "passing")
                self._keep(facts if shadow else transitions.refused(facts, failure, self.now_ms))
            case Nothing():
                self._keep(transitions.cleared(self.facts))
        self._settle()

    def _on_trial(self) -> bool:
        slot = self.facts.slot(self.facts.active)
        return slot is not None and slot.verdict is Verdict.TRIAL

    @precondition(_on_trial)
    @rule(good=st.booleans())
    def trial_ends(self, good: bool) -> None:  # noqa: FBT001 - hypothesis gives it by name
        self._end_trial(good=good)

    def _end_trial(self, *, good: bool) -> None:
        release = self.facts.active
        assert release is not None
        if good:
            self.passed.add(release)
            self._keep(transitions.passed(self.facts, self.now_ms))
        else:
            self.passed.discard(release)
            self._keep(transitions.failed(self.facts, UpdateReason.ERRORS, "no use", self.now_ms))
        self._settle()

    @rule(release=RELEASES)
    def order_goes_well(self, release: int) -> None:
        """From the next order to the verdict; random steps alone rarely prove two releases."""
        self._order(self.facts.generation + 1, release, f"{self.transactions:032x}")
        for _ in range(4):
            self._follow("done")
        if self._on_trial() and self.facts.active == release:
            self._end_trial(good=True)

    @rule()
    def person_goes_back(self) -> None:
        choice, left = previous(self.facts), self.facts.active
        if left is not None:
            assert choice.release != left
            assert choice.release not in self.left
            self.left.add(left)
            self._keep(transitions.returned(self.facts, choice, self.now_ms))
            assert self.facts.active == choice.release
            assert candidates(self.facts)[0] == choice
            assert previous(self.facts).release not in self.left
        self._settle()

    @rule(orderly=st.booleans())
    def agent_restarts(self, orderly: bool) -> None:  # noqa: FBT001 - hypothesis gives it by name
        if orderly:
            self._keep(transitions.ended(self.facts))
        self._keep(transitions.started(self.facts, self.now_ms))
        self._settle()

    @rule(release=RELEASES)
    def files_are_damaged(self, release: int) -> None:
        slot = self.facts.slot(release)
        if slot is not None and slot.there:
            self._keep(transitions.spoiled(self.facts, slot, "zeroed", self.now_ms))
        self._settle()

    # ---- what always holds -----------------------------------------------------------------------------

    @invariant()
    def what_runs_may_run(self) -> None:
        """Never below the floor, withdrawn, unlisted or BAD; the installed one only without a floor."""
        choice: Choice = candidates(self.facts)[0]
        if choice.slot is not None:
            assert why_not(self.facts, choice.slot.release, digest_of(choice.slot.release)) is None
            assert choice.slot.verdict in {Verdict.TRIAL, Verdict.GOOD}
            assert choice.slot.release >= self.facts.floor
        elif choice.source is Source.INSTALLED:
            assert self.facts.floor == 0
        assert candidates(self.facts)[-1] == BESTSELLERS, "there is always something to show"

    @invariant()
    def what_a_person_left_stays_left(self) -> None:
        """T9: over restarts and damage too, nothing that was left comes back until the next order."""
        if self.facts.is_held:
            others = {one.release for one in candidates(self.facts) if one.release != self.facts.active}
            assert not others & self.left

    @invariant()
    def floor_and_generation_never_sink(self) -> None:
        assert self.facts.floor >= self.highest_floor
        assert self.facts.generation >= self.highest_generation
        self.highest_floor, self.highest_generation = self.facts.floor, self.facts.generation

    @invariant()
    def good_means_that_it_passed_a_trial_here(self) -> None:
        assert {one.release for one in self.facts.slots if one.verdict is Verdict.GOOD} <= self.passed

    @invariant()
    def the_plan_never_wants_what_may_not_run(self) -> None:
        following = plan(self.facts)
        if isinstance(following, Use) and following.choice.slot is not None:
            assert may_run(self.facts, following.choice.slot)


Releases.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


class TestReleases(Releases.TestCase):  # type: ignore[name-defined,misc]
    """T8, T9, T13: any schedule of orders, replays, listings, verdicts, returns, restarts and damage."""
