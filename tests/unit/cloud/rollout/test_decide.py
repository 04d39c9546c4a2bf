"""What decide makes of a rollout, case by case; fleets are in tests/simulation."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from cloud.rollout.decide import decide, waits_for
from cloud.rollout.gates import count, judge
from cloud.rollout.values import (
    Action,
    Evidence,
    Mark,
    Member,
    MemberState,
    Move,
    Policy,
    Rollout,
    Shadow,
    State,
    StoreClock,
    Tell,
    Window,
)
from tests.builders.rollouts import MINUTE_MS, NEW, NOW_MS, OLD, OLD_DIGEST, PLAN, around, good, running, told
from wire_protocol.fleet_messages import UpdateReason, UpdateState

GOOD, WAITING = MemberState.GOOD, MemberState.WAITING
REFUSED = good(
    update_state=UpdateState.REFUSED, update_reason=UpdateReason.TOO_SLOW, running_digest=OLD_DIGEST
)
YEAR_MS = 366 * 86_400_000


def waiting(register: str, stage: int = 0, store: str = "harbour") -> Member:
    return Member(register, store, stage, WAITING)


def before(register: str, **changes: Any) -> Evidence:
    """What a register says that runs the release of before."""
    usual = good(register, generation=4, running_digest=OLD_DIGEST, running_release=OLD, desired_release=OLD)
    return replace(usual, **{"update_release": OLD, **changes})


def act(
    members: Sequence[Member], said: Sequence[Evidence], rollout: Rollout | None = None, **changes: Any
) -> tuple[Action, ...]:
    known = {one.register: one for one in said}
    return decide(rollout or running(), members, known, around(**changes))


def moves(actions: Sequence[Action]) -> list[Move]:
    return [action for action in actions if isinstance(action, Move)]


def tells(actions: Sequence[Action]) -> list[Tell]:
    return [action for action in actions if isinstance(action, Tell)]


def test_the_first_stage_is_told_and_no_other() -> None:
    actions = act([waiting("till-1"), waiting("till-2"), waiting("till-3", 1)], [before("till-1")])
    assert {action.register for action in tells(actions)} == {"till-1", "till-2"}
    mark = next(action for action in actions if isinstance(action, Mark) and action.register == "till-1")
    assert (mark.state, mark.previous, mark.told) == (MemberState.TOLD, OLD, True)


def test_what_it_goes_back_to_is_what_it_attests_or_was_told_last() -> None:
    """An installed model without a release is None; a silent register's newest order counts."""
    cases = {
        "attests": (before("till-1", desired_release=3), OLD),
        "installed": (before("till-1", running_release=None), None),
        "silent": (before("till-1", running_digest=None, running_release=None, desired_release=4), 4),
        "runs it already": (good("till-1", desired_release=5), 5),
    }
    for name, (said, previous) in cases.items():
        marks = [action for action in act([waiting("till-1")], [said]) if isinstance(action, Mark)]
        assert [mark.previous for mark in marks] == [previous], name


def test_a_good_stage_goes_on_after_it_was_watched() -> None:
    members = [told(state=GOOD), waiting("till-3", 1)]
    [move] = moves(act(members, [good()]))
    assert (move.state, move.stage, move.kind) == (State.RUNNING, 1, "stage")
    assert "p99 3.1 of 10 ms" in move.words
    assert moves(act([told(state=GOOD, minutes=0), members[1]], [good()])) == []
    approved = replace(PLAN.stages[0], approval=True)
    by_hand = running(plan=replace(PLAN, stages=(approved, PLAN.stages[1])))
    assert moves(act(members, [good()], by_hand)) == []


def test_the_last_stage_ends_it() -> None:
    [move] = moves(act([told(state=GOOD, stage=1)], [good()], running(stage=1)))
    assert (move.state, move.kind) == (State.DONE, "done")


@pytest.mark.parametrize(
    "said",
    [[], [good(recommendations=99, confidence=(9,) * 10)], [Evidence("till-1")], [good(generation=4)]],
    ids=["none", "too few", "never heard", "late"],
)
def test_without_enough_evidence_it_holds_for_ever(said: list[Evidence]) -> None:
    """T28: invariant 8; a year later it still holds."""
    member = told(state=GOOD)
    for later_ms in (0, YEAR_MS):
        known = [replace(one, heard_at_ms=one.heard_at_ms and NOW_MS + later_ms) for one in said]
        assert moves(act([member], known, now_ms=NOW_MS + later_ms)) == []


def test_a_register_that_was_never_reached_does_not_block_and_is_no_success() -> None:
    members = [told(state=GOOD, minutes=3000), told("till-2", minutes=3000)]
    assert len(moves(act(members, [good()]))) == 1
    assert moves(act([told("till-2", minutes=3000)], [])) == []


def test_a_failure_brings_every_register_back_at_once_each_to_its_own() -> None:
    """T28: also the good ones, at no pace, in no window."""
    plan = replace(PLAN, pace_per_minute=1, window=(Window((0,), 0, 1),))
    members = [
        told(),
        told("till-2", state=GOOD, previous=5),
        told("till-3", state=GOOD, previous=None),
        waiting("till-4", 1),
    ]
    for state in (State.RUNNING, State.PAUSED):
        actions = act(
            members,
            [REFUSED, good("till-2")],
            running(plan=plan, state=state),
            may_run=frozenset({OLD, NEW, 5}),
        )
        [move] = moves(actions)
        assert (move.state, move.kind) == (State.RETURNING, "failed")
        assert "till-1 refused: too slow on this till" in move.words
        back = {action.register: action.release for action in tells(actions)}
        assert back == {"till-1": OLD, "till-2": 5, "till-3": None}


def test_what_may_not_run_is_not_returned_to() -> None:
    """T8: a withdrawn release is never returned to."""
    actions = act([told()], [REFUSED], may_run=frozenset({NEW}))
    assert tells(actions) == [Tell("till-1", None)]


def test_stop_and_withdrawal_return_and_freeze_holds() -> None:
    members, said = [told(state=GOOD), waiting("till-2")], [good()]
    [move] = moves(act(members, said, policy=Policy(stopped="chiara: fire")))
    assert "emergency stop by chiara: fire" in move.words
    [move] = moves(act(members, said, may_run=frozenset({OLD})))
    assert move.words == "release 7 may not run any more"
    [move] = moves(act(members, said, may_run=frozenset({OLD}), barred={NEW: "was withdrawn: wrong labels"}))
    assert (move.state, move.words) == (State.RETURNING, "release 7 was withdrawn: wrong labels")
    assert act(members, said, policy=Policy(frozen="anna: heat")) == ()
    assert act(members, said, running(state=State.PAUSED)) == ()
    assert (
        act(members, said, running(state=State.DRAFT))
        == act(members, said, running(state=State.RETURNED))
        == ()
    )


def test_the_pace_counts_the_last_minute() -> None:
    plan = replace(PLAN, pace_per_minute=2)
    members = [
        told("till-0", minutes=0),
        told("till-9", minutes=2),
        *(waiting(f"till-{n}") for n in range(1, 6)),
    ]
    assert len(tells(act(members, [], running(plan=plan)))) == 1
    assert len(tells(act(members, [], running(plan=plan), now_ms=NOW_MS + MINUTE_MS))) == 2


def test_each_shop_has_its_own_window() -> None:
    plan = replace(PLAN, window=(Window((5,), 120, 240),))
    members = [waiting("till-1", store="a"), waiting("till-2", store="b"), waiting("till-3", store="c")]
    clocks = {"a": StoreClock(5, 130), "b": StoreClock(5, 500)}
    actions = act(members, [], running(plan=plan), clocks=clocks)
    assert [action.register for action in tells(actions)] == ["till-1"]


def test_returning_ends_when_every_register_that_was_there_is_back() -> None:
    rollout = running(state=State.RETURNING)
    back = told(state=MemberState.RETURNED, generation=6)
    coming = told("till-2", state=MemberState.RETURNING, generation=6, changed_at_ms=NOW_MS)
    absent = replace(coming, register="till-3")
    never = Evidence("till-3", online=False, since_ms=NOW_MS - YEAR_MS)
    said = good("till-2", generation=6)
    assert moves(act([back, coming], [said], rollout)) == []
    arrived = replace(said, running_digest=OLD_DIGEST)
    actions = act([back, coming, absent], [arrived, never], rollout)
    [move] = moves(actions)
    assert (move.state, move.words) == (
        State.RETURNED,
        "2 registers are back; 1 did not answer, and return when they do",
    )
    late = act([back, coming], [said], rollout, now_ms=NOW_MS + 2 * 86_400_000)
    assert [one.state for one in moves(late)] == [State.RETURNED]


def test_a_shadow_is_first_compared_and_then_told() -> None:
    plan = replace(PLAN, shadow_first=True, gates=replace(PLAN.gates, shadow_agreement=0.8))
    rollout = running(plan=plan)
    first = act([waiting("till-1"), waiting("till-2", 1)], [before("till-1")], rollout)
    assert [type(action) for action in first] == [Shadow, Mark]
    member = told(state=MemberState.SHADOW, told_at_ms=None, previous=None)
    said = before(
        "till-1",
        generation=5,
        shadow_release=NEW,
        shadow_compared=200,
        shadow_same_first=190,
        shadow_p99_ms=3.0,
    )
    assert tells(act([member], [said], rollout)) == [Tell("till-1", NEW)]
    assert act([member], [replace(said, shadow_compared=50, shadow_same_first=50)], rollout) == ()
    worse = act([member], [replace(said, shadow_same_first=100)], rollout)
    assert [move.state for move in moves(worse)] == [State.RETURNING]
    assert tells(worse) == [Tell("till-1", OLD)]


def test_one_that_is_done_serves_those_who_come_later_and_judges_nobody() -> None:
    rollout = running(state=State.DONE, stage=1)
    actions = act([told(), waiting("till-9", 1)], [REFUSED], rollout)
    assert moves(actions) == []
    assert tells(actions) == [Tell("till-9", NEW)]
    for changes in ({"policy": Policy(frozen="a")}, {"may_run": frozenset({OLD})}):
        assert tells(act([waiting("till-9", 1)], [], rollout, **changes)) == []


def test_the_same_values_give_the_same_actions() -> None:
    members = [told(), told("till-2", state=GOOD), waiting("till-3")]
    assert act(members, [REFUSED, good("till-2")]) == act(members, [REFUSED, good("till-2")])


def test_what_it_waits_for_is_said_in_plain_words() -> None:
    def words(members: Sequence[Member], said: Sequence[Evidence], rollout: Rollout | None = None) -> Any:
        rollout = rollout or running()
        known = {one.register: one for one in said}
        gates = judge(rollout, count(rollout, members, known))
        return waits_for(rollout, members, known, around(), gates)

    assert "1 register has no outcome yet" in words([told()], [])
    assert "2 registers are told in turn, 60 a minute" in words([waiting("a"), waiting("b")], [])
    few = good(recommendations=58)
    assert words([told(state=GOOD)], [few]) == ("waiting for 42 more answers",), "once, whoever waits for it"
    assert words([told(state=GOOD, minutes=0)], [good()]) == ("the stage is watched for 60 seconds",)
    by_hand = replace(PLAN, stages=(replace(PLAN.stages[0], approval=True), PLAN.stages[1]))
    assert words([told(state=GOOD)], [good()], running(plan=by_hand)) == ("a person has to promote it",)
    night = replace(PLAN, window=(Window((0,), 0, 1),))
    assert "1 register waits for its shop's maintenance window" in words(
        [waiting("a")], [], running(plan=night)
    )
    assert words([told()], [], running(state=State.PAUSED, reason="lunch")) == ("paused: lunch",)
    coming = told(state=MemberState.RETURNING)
    assert words([coming], [], running(state=State.RETURNING)) == ("1 register is on its way back",)
    assert words([], [], running(state=State.DONE)) == ()
