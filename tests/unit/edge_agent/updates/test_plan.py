"""What is next."""

from edge_agent.updates import transitions
from edge_agent.updates.choice import INSTALLED, previous
from edge_agent.updates.errand import Failed
from edge_agent.updates.facts import Facts
from edge_agent.updates.plan import NOTHING, Fetch, Settle, Use, plan
from tests.builders.update_facts import NOW_MS, digest_of, good, on_trial, ordered, staged, verified
from wire_protocol.fleet_messages import UpdateReason, UpdateState


def looked(facts: Facts, **listed: object) -> Facts:
    return transitions.looked(facts, verified(**listed), facts.generation)  # type: ignore[arg-type]


def test_nothing_is_done_without_an_order() -> None:
    """A register that nobody told anything sends for nothing."""
    assert plan(Facts()) == NOTHING


def test_a_release_is_fetched_used_and_tried() -> None:
    """Fetch, use, trial; then all is as it is wanted."""
    facts = ordered(Facts(), 1, 4)
    assert plan(facts) == Fetch(4, digest_of(4))
    facts = staged(facts, 4)
    use = plan(facts)
    assert isinstance(use, Use)
    assert use.choice.release == 4
    facts = transitions.activated(facts, use.choice, NOW_MS)
    assert facts.attempt is not None
    assert facts.attempt.state is UpdateState.TRIAL
    assert plan(facts) == NOTHING
    assert plan(transitions.passed(facts, NOW_MS)) == NOTHING


def test_an_unchanged_desired_state_asks_for_nothing() -> None:
    """The retained message comes again at every connection: no news, no request."""
    facts = good(3)
    assert facts.order is not None
    assert transitions.ordered(facts, facts.order, "ff" * 16, NOW_MS) is None
    assert plan(facts) == NOTHING


def test_a_new_generation_looks_at_the_metadata_once() -> None:
    """A withdrawal is heard of even where the release stays."""
    facts = ordered(good(3), 9, 3, report_every_s=60)
    assert plan(facts) == Fetch()
    assert plan(looked(facts)) == NOTHING


def test_another_rollout_of_what_runs_is_good_at_once() -> None:
    """Its transaction is new, the trial is not."""
    facts = ordered(good(3), 9, 3, rollout="ee" * 16)
    assert plan(facts) == Settle(UpdateState.GOOD)


def test_a_return_by_the_cloud_to_what_lies_here_is_made_at_once() -> None:
    """No fetch, no trial."""
    use = plan(ordered(good(1, 2), 9, 1))
    assert isinstance(use, Use)
    facts = transitions.activated(ordered(good(1, 2), 9, 1), use.choice, NOW_MS)
    assert facts.attempt is not None
    assert facts.attempt.state is UpdateState.GOOD


def test_no_release_means_back_to_what_was_installed() -> None:
    """However good the present one is."""
    assert plan(ordered(good(1), 9)) == Use(INSTALLED)


def test_what_may_not_run_is_refused_with_the_reason() -> None:
    """Withdrawn, or below the floor, once the metadata says so."""
    facts = looked(ordered(Facts(), 1, 4), withdrawn=(4,))
    settle = plan(facts)
    assert isinstance(settle, Settle)
    assert (settle.state, settle.reason) == (UpdateState.REFUSED, UpdateReason.WITHDRAWN)
    facts = looked(ordered(Facts(), 1, 4), floor=5)
    settle = plan(facts)
    assert isinstance(settle, Settle)
    assert settle.reason is UpdateReason.BELOW_FLOOR


def test_a_refused_release_is_left_alone_and_passing_trouble_is_not() -> None:
    """REFUSED ends the attempt; WAITING goes on."""
    facts = looked(ordered(good(1), 9, 4))
    final = transitions.refused(facts, Failed(UpdateReason.NOT_A_MODEL, "no", passing=False), NOW_MS)
    assert plan(final) == NOTHING
    passing = transitions.refused(facts, Failed(UpdateReason.NO_ROOM, "full", passing=True), NOW_MS)
    assert plan(passing) == Fetch(4, digest_of(4))


def test_a_bad_release_is_fetched_again_for_another_rollout_only() -> None:
    """A setting that changes with the same rollout brings it not back."""
    bad = transitions.failed(on_trial(good(1), 2), UpdateReason.ERRORS, "no use", NOW_MS)
    same = looked(ordered(bad, 8, 2, report_every_s=60))
    assert plan(same) == NOTHING
    assert plan(looked(ordered(bad, 8, 2, rollout="ee" * 16))) == Fetch(2, digest_of(2))


def test_a_persons_return_holds_until_the_next_order() -> None:
    """Then the cloud decides anew."""
    facts = good(1, 2)
    held = transitions.returned(facts, previous(facts), NOW_MS)
    assert plan(held) == NOTHING
    assert held.attempt is not None
    assert (held.attempt.state, held.attempt.reason) == (UpdateState.BAD, UpdateReason.RETURNED)
    anew = plan(ordered(held, 9, 2))
    assert isinstance(anew, Use)
    assert anew.choice.release == 2


def test_the_shadow_is_fetched_when_all_else_is_done() -> None:
    """With the digest that the chain signed for it; one that may not run is not."""
    facts = looked(ordered(good(1), 9, 1, shadow=5))
    assert plan(facts) == Fetch(5, digest_of(5), shadow=True)
    assert plan(staged(facts, 5)) == NOTHING
    assert plan(looked(facts, floor=6)) == NOTHING
    assert plan(looked(facts, withdrawn=(5,))) == NOTHING
