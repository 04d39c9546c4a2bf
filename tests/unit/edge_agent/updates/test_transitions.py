"""What changes the facts."""

import pytest

from edge_agent.updates import transitions
from edge_agent.updates.choice import BESTSELLERS, Choice, Source, candidates
from edge_agent.updates.facts import Facts, from_json, to_json
from edge_agent.updates.slots import Verdict
from tests.builders.update_facts import NOW_MS, TRANSACTION, good, on_trial, order, ordered, staged, verified
from wire_protocol.fleet_messages import UpdateReason, UpdateState
from wire_protocol.limits import COUNT_MAX, GENERATION_FREE, GENERATION_STEP


def verdicts(facts: Facts) -> dict[int, str]:
    return {one.release: one.verdict.value for one in facts.slots}


def died(facts: Facts) -> Facts:
    return transitions.started(facts, NOW_MS)


def test_an_older_order_is_no_order() -> None:
    """T3, T8: a replayed desired state changes nothing, whatever it says."""
    facts = ordered(Facts(), 5, 2)
    for generation in (1, 4, 5):
        assert transitions.ordered(facts, order(generation, 3), "ff" * 16, NOW_MS) is None


def test_no_order_uses_up_the_generations() -> None:
    """T9: a stolen `fleet` key locks the cloud out of no register: there is always a next generation."""
    assert transitions.ordered(Facts(), order(COUNT_MAX, 3), TRANSACTION, NOW_MS) is None
    far = ordered(Facts(), GENERATION_FREE, 3)
    assert transitions.ordered(far, order(COUNT_MAX, 3), TRANSACTION, NOW_MS) is None
    step = GENERATION_FREE + GENERATION_STEP
    assert transitions.ordered(far, order(step + 1, 2), TRANSACTION, NOW_MS) is None
    assert ordered(far, step, 2).generation == step
    assert (COUNT_MAX - GENERATION_FREE) // GENERATION_STEP > 10**9, "messages, each of them durable"


def test_an_order_that_was_lost_with_the_state_is_taken_again() -> None:
    """The generation survives in the copy; its order comes again with the next connection."""
    assert transitions.ordered(Facts(generation=5), order(5, 3), TRANSACTION, NOW_MS) is not None
    assert transitions.ordered(Facts(generation=5), order(4, 3), TRANSACTION, NOW_MS) is None


def test_a_transaction_is_the_orders_until_the_verdict() -> None:
    """New settings of the same rollout do not begin another."""
    facts = ordered(Facts(), 1, 2)
    again = transitions.ordered(facts, order(2, 2, report_every_s=60), "ff" * 16, NOW_MS)
    assert again is not None
    assert again.attempt is not None
    assert again.attempt.transaction == TRANSACTION
    other = transitions.ordered(facts, order(2, 3), "ff" * 16, NOW_MS)
    assert other is not None
    assert other.attempt is not None
    assert other.attempt.transaction == "ff" * 16


def test_two_deaths_in_a_trial_are_enough() -> None:
    """T10: a model that takes the agent with it is BAD at the second start; orderly ends do not count."""
    facts = on_trial(good(1), 2)
    first = died(facts)
    assert (first.open, first.crashes) == (True, 0)
    orderly = died(transitions.ended(first))
    assert orderly.crashes == 0
    second = died(orderly)
    assert (second.crashes, verdicts(second)[2]) == (1, "trial")
    third = died(second)
    assert verdicts(third)[2] == "bad"
    assert third.attempt is not None
    assert (third.attempt.state, third.attempt.reason) == (UpdateState.BAD, UpdateReason.CRASHED)
    assert candidates(third)[0].release == 1


def test_a_good_release_survives_power_cuts() -> None:
    """They are counted and told, and the cloud decides."""
    facts = good(1, 2)
    for _ in range(5):
        facts = died(facts)
    assert (verdicts(facts)[2], facts.crashes) == ("good", 4)


def test_deaths_beside_a_shadow_are_the_shadows() -> None:
    """T10: counted for it until another is wanted; an orderly end, or none beside, counts nothing."""
    facts = transitions.shadowed(ordered(good(1), 5, 1, shadow=2), 2)
    once = died(died(facts))
    assert (once.shadow_deaths, once.shadow, once.crashes) == (1, None, 1)
    assert died(once).shadow_deaths == 1, "it did not run this time"
    twice = died(transitions.shadowed(once, 2))
    assert twice.shadow_deaths == transitions.STARTS_MAX
    assert from_json(to_json(twice)) == twice
    orderly = died(transitions.ended(transitions.shadowed(once, 2)))
    assert orderly.shadow_deaths == 1
    assert ordered(twice, 6, 1, shadow=2, report_every_s=9).shadow_deaths == 2
    assert ordered(twice, 6, 1, shadow=3).shadow_deaths == 0
    assert ordered(twice, 6, 1, shadow=2, rollout="ee" * 16).shadow_deaths == 0


def test_the_floor_never_sinks() -> None:
    """T8: whatever an updater says that lost its metadata."""
    facts = transitions.looked(Facts(), verified(floor=7), 1)
    assert transitions.looked(facts, verified(floor=3), 2).floor == 7


def test_what_is_needed_stays_and_the_rest_goes() -> None:
    """Active, the GOOD one before, what is ordered, the shadow; of BAD ones the verdict."""
    facts = good(1, 2, 3)
    facts = transitions.cleared(facts)
    assert verdicts(facts) == {2: "good", 3: "good"}
    facts = staged(ordered(facts, 20, 4, shadow=5), 5)
    facts = staged(facts, 4)
    assert verdicts(transitions.cleared(facts)) == {
        2: "good",
        3: "good",
        4: "trial",
        5: "trial",
    }
    facts = transitions.failed(on_trial(good(1), 2), UpdateReason.ERRORS, "no use", NOW_MS)
    assert verdicts(transitions.cleared(facts)) == {1: "good", 2: "bad"}


def test_a_spoiled_release_is_fetched_anew() -> None:
    """Its slot goes, and the attempt waits."""
    facts = good(1, 2)
    slot = facts.slot(2)
    assert slot is not None
    facts = transitions.spoiled(facts, slot, "zeroed", NOW_MS)
    assert facts.slot(2) is None
    assert facts.attempt is not None
    assert (facts.attempt.state, facts.attempt.reason) == (UpdateState.WAITING, UpdateReason.DIGEST_MISMATCH)


def test_a_withdrawal_of_what_runs_is_told_as_such() -> None:
    """The attempt about it is BAD, with the reason."""
    facts = transitions.looked(good(1, 2), verified(withdrawn=(2,)), 9)
    facts = transitions.settled_on(facts, candidates(facts)[0], NOW_MS)
    assert facts.active == 1
    assert facts.attempt is not None
    assert (facts.attempt.state, facts.attempt.reason) == (UpdateState.BAD, UpdateReason.WITHDRAWN)


def test_words_are_cut_to_what_a_report_takes() -> None:
    """However long a library's error is."""
    facts = transitions.failed(on_trial(good(1), 2), UpdateReason.ERRORS, "x\n\0" * 999, NOW_MS)
    assert facts.attempt is not None
    assert len(facts.attempt.words or "") == 200
    assert facts.attempt.words == ("x ?" * 99)[:200]


def test_only_a_release_is_judged() -> None:
    """The installed model has no trial."""
    with pytest.raises(AssertionError):
        transitions.passed(Facts(), NOW_MS)
    assert transitions.activated(good(1), BESTSELLERS, NOW_MS).active is None
    assert Verdict.GOOD in {one.verdict for one in good(1).slots}


def left(facts: Facts) -> dict[int, int | None]:
    return {one.release: one.left_generation for one in facts.slots}


def test_what_an_order_goes_behind_is_left_until_it_is_ordered_again() -> None:
    """Noted with the order's generation, whatever the verdict; kept over later orders."""
    facts = good(1, 2, 3)
    assert left(facts) == {1: None, 2: None, 3: None}, "an order that goes on leaves nothing"
    back = ordered(facts, 9, 1)
    assert left(back) == {1: None, 2: 9, 3: 9}
    assert left(ordered(back, 10, 2, rollout="ee" * 16)) == {1: None, 2: None, 3: 10}
    assert left(ordered(back, 10, 4)) == {1: None, 2: 9, 3: 9}
    assert left(ordered(facts, 9)) == {1: 9, 2: 9, 3: 9}
    trial = ordered(on_trial(good(1), 2), 9, 1)
    assert left(trial) == {1: None, 2: 9}, "it may still pass its trial"


def test_a_rollout_that_takes_back_an_older_release_leaves_it() -> None:
    """Release 4 was there, a rollout brought 3, and takes it back: 3 is left, however its number."""
    rollout = "ee" * 16
    there = ordered(good(3, 4), 9, 3, rollout=rollout)
    assert left(there) == {3: None, 4: 9}
    assert left(ordered(there, 10, 4, rollout=rollout)) == {3: 10, 4: None}
    assert left(ordered(there, 10, 4, rollout="ff" * 16)) == {3: None, 4: None}, "another one goes on"
    shadow = ordered(there, 10, 3, rollout=rollout, shadow=4)
    assert left(ordered(shadow, 11, 4, rollout=rollout)) == {3: None, 4: None}, "tried as a shadow, then used"


def test_of_two_the_release_stays_that_was_not_left() -> None:
    """A person's return needs it; one that was left stays where there is no other."""
    facts = good(1, 2, 3)
    back = transitions.activated(ordered(facts, 9, 2), Choice(Source.RELEASE, facts.slot(2)), NOW_MS)
    assert verdicts(transitions.cleared(back)) == {1: "good", 2: "good"}
    facts = good(2, 3)
    back = transitions.activated(ordered(facts, 9, 2), Choice(Source.RELEASE, facts.slot(2)), NOW_MS)
    assert verdicts(transitions.cleared(back)) == {2: "good", 3: "good"}
