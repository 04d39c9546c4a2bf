"""What to do with a rollout now: a pure function of the rollout, its registers, and what they say.

The same values give the same actions. Nothing here ends a pause or a freeze, and a stopped rollout only
returns: whatever reports come, late, twice or in another order.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from cloud.rollout.figures import stage_figures
from cloud.rollout.gates import count, judge
from cloud.rollout.membership import place
from cloud.rollout.states import Event, after
from cloud.rollout.values import (
    Action,
    Evidence,
    GateVerdict,
    Mark,
    Member,
    MemberState,
    Move,
    Outcome,
    Rollout,
    Shadow,
    StageFigures,
    State,
    Surroundings,
    Tell,
)
from cloud.rollout.watch import assess, left_out
from cloud.rollout.windows import may_be_told

_MS: Final = 1000
_MINUTE_MS: Final = 60_000
_REASONS_TOLD: Final = 3
_EXPOSED: Final = frozenset({MemberState.TOLD, MemberState.GOOD, MemberState.FAILED, MemberState.SHADOW})
"""Told the release, or running it as a shadow: what a return brings back."""
_SETTLED: Final = frozenset({MemberState.GOOD, MemberState.FAILED, MemberState.SKIPPED})
_BACK: Final = frozenset({MemberState.RETURNED, MemberState.SKIPPED, MemberState.WAITING})

Known = Mapping[str, Evidence]


def decide(
    rollout: Rollout, members: Sequence[Member], evidence: Known, around: Surroundings
) -> tuple[Action, ...]:
    """Actions, to be written in one transaction that nobody else's change came before.

    Args:
        rollout: As it is stored.
        members: All of its registers, as they are stored.
        evidence: By register, from verified messages alone.
        around: The time, the chain's policy, the releases that may run.
    """
    if rollout.state in {State.DRAFT, State.RETURNED}:
        return ()
    if rollout.state is State.DONE and rollout.release not in around.may_run:
        return ()  # its registers are ordered away from it, and owe it no outcome
    marks = _marks(rollout, members, evidence, around.now_ms)
    present = _marked(members, marks, around.now_ms)
    match rollout.state:
        case State.RETURNING:
            further = _return(rollout, present, evidence, around)
        case State.DONE:
            further = _go_on_done(rollout, present, evidence, around)
        case _:
            further = _go_on(rollout, present, evidence, around)
    return (*_last_marks(marks, further), *further)


def _marks(rollout: Rollout, members: Sequence[Member], evidence: Known, now_ms: int) -> list[Mark]:
    found = []
    for member in members:
        said = evidence.get(member.register)
        if said is not None:
            mark = assess(rollout, member, said, now_ms)
            if mark is not None:
                found.append(mark)
    return found


def _marked(members: Sequence[Member], marks: Sequence[Mark], now_ms: int) -> Sequence[Member]:
    if not marks:
        return members
    new = {mark.register: mark for mark in marks}
    return [
        replace(member, state=mark.state, reason=mark.reason, changed_at_ms=now_ms)
        if (mark := new.get(member.register)) is not None
        else member
        for member in members
    ]


def _last_marks(marks: Sequence[Mark], further: Sequence[Action]) -> list[Mark]:
    """Without those that a later action of the same decision replaces, but for what the timeline tells."""
    replaced = {action.register for action in further if isinstance(action, Mark)}
    return [mark for mark in marks if mark.register not in replaced or mark.state is MemberState.FAILED]


# ---- running ----------------------------------------------------------------------------------------------


def _go_on(
    rollout: Rollout, members: Sequence[Member], evidence: Known, around: Surroundings
) -> list[Action]:
    if around.policy.stopped is not None:
        words = f"emergency stop by {around.policy.stopped}"
        figures = stage_figures(rollout, members, evidence)
        move = Move(after(rollout.state, Event.STOP), rollout.stage, words, "failed", figures=figures)
        return [move, *_bring_back(members, evidence, around)]
    if rollout.release not in around.may_run:
        why = around.barred.get(rollout.release, "may not run any more")
        words = f"release {rollout.release} {why}"
        figures = stage_figures(rollout, members, evidence)
        move = Move(after(rollout.state, Event.FAIL), rollout.stage, words, "failed", figures=figures)
        return [move, *_bring_back(members, evidence, around)]
    gates = judge(rollout, count(rollout, members, evidence))
    failing = [gate for gate in gates if gate.outcome is Outcome.FAIL]
    if failing:
        words = "; ".join([*(gate.words for gate in failing), *_some_reasons(members)])
        figures = stage_figures(rollout, members, evidence)
        move = Move(after(rollout.state, Event.FAIL), rollout.stage, words, "failed", gates, figures)
        return [move, *_bring_back(members, evidence, around)]
    if rollout.state is not State.RUNNING or around.policy.frozen is not None:
        return []
    told = _tell(rollout, members, evidence, around, gates)
    if told or not _may_move_on(rollout, members, evidence, around, gates):
        return told
    return [_move_on(rollout, gates, stage_figures(rollout, members, evidence))]


def _tell(
    rollout: Rollout,
    members: Sequence[Member],
    evidence: Known,
    around: Surroundings,
    gates: Sequence[GateVerdict],
) -> list[Action]:
    """Tell those whose stage has come, as many as the pace and the shop's clock allow."""
    shadow_phase = _in_shadow_phase(rollout, members)
    if shadow_phase and _shadow_passed(members, gates):
        due = [member for member in members if member.state is MemberState.SHADOW]
        shadow_phase = False
    else:
        due = [
            member
            for member in members
            if member.state is MemberState.WAITING and member.stage <= rollout.stage
        ]
        if not shadow_phase:  # shadows that the pace left behind
            due += [member for member in members if member.state is MemberState.SHADOW]
    if not due:
        return []
    allowed = _allowed(rollout, members, around.now_ms)
    ready = [member for member in due if may_be_told(rollout.plan, around.clocks.get(member.store))]
    ready.sort(key=lambda member: (member.stage, place(rollout.tenant, rollout.release, member.register)))
    actions: list[Action] = []
    for member in ready[:allowed]:
        if shadow_phase:
            actions += [Shadow(member.register), Mark(member.register, MemberState.SHADOW)]
        else:
            actions += _told(rollout, member, evidence.get(member.register))
    return actions


def _told(rollout: Rollout, member: Member, said: Evidence | None) -> list[Action]:
    """Told from here on, with what it goes back to: the release that it attests, else its newest order's."""
    previous = None
    if said is not None:
        previous = said.running_release if said.running_digest is not None else said.desired_release
        if previous == rollout.release:
            previous = said.desired_release if said.desired_release != rollout.release else None
    return [
        Tell(member.register, rollout.release),
        Mark(member.register, MemberState.TOLD, previous=previous, told=True),
    ]


def _allowed(rollout: Rollout, members: Sequence[Member], now_ms: int) -> int:
    """How many the pace still allows in the minute that ends now."""
    lately = 0
    for member in members:
        told_at_ms = member.changed_at_ms if member.state is MemberState.SHADOW else member.told_at_ms
        if told_at_ms is not None and told_at_ms > now_ms - _MINUTE_MS:
            lately += 1
    return max(0, rollout.plan.pace_per_minute - lately)


def _in_shadow_phase(rollout: Rollout, members: Sequence[Member]) -> bool:
    """Until the first register was told the release itself."""
    return (
        rollout.plan.shadow_first
        and rollout.stage == 0
        and all(member.told_at_ms is None for member in members)
    )


def _shadow_passed(members: Sequence[Member], gates: Sequence[GateVerdict]) -> bool:
    if not any(member.state is MemberState.SHADOW for member in members):
        return False
    shadow = [gate.outcome for gate in gates if gate.kind == "shadow"]
    return shadow == [Outcome.PASS]


def _may_move_on(
    rollout: Rollout,
    members: Sequence[Member],
    evidence: Known,
    around: Surroundings,
    gates: Sequence[GateVerdict],
) -> bool:
    """Every gate passes, every register so far has an outcome or is left out, and time passed."""
    if rollout.plan.stages[rollout.stage].approval:
        return False
    if any(gate.outcome is not Outcome.PASS for gate in gates):
        return False
    if any(_unsettled(rollout, member, evidence, around.now_ms) for member in members):
        return False
    return _held_long_enough(rollout, members, around.now_ms)


def _unsettled(rollout: Rollout, member: Member, evidence: Known, now_ms: int) -> bool:
    if member.stage > rollout.stage or member.state in _SETTLED:
        return False
    if member.state is MemberState.TOLD:
        return not left_out(rollout, member, evidence.get(member.register), now_ms)
    return True


def _held_long_enough(rollout: Rollout, members: Sequence[Member], now_ms: int) -> bool:
    newest = max(
        (member.told_at_ms or 0 for member in members if member.stage == rollout.stage), default=None
    )
    return newest is None or now_ms - newest >= rollout.plan.stages[rollout.stage].hold_s * _MS


def _move_on(rollout: Rollout, gates: Sequence[GateVerdict], figures: tuple[StageFigures, ...]) -> Move:
    stages, passed = rollout.plan.stages, "; ".join(gate.words for gate in gates)
    if rollout.stage + 1 == len(stages):
        words = f"every stage passed: {passed}"
        return Move(after(rollout.state, Event.COMPLETE), rollout.stage, words, "done", tuple(gates), figures)
    words = f"{stages[rollout.stage].name!r} passed, on to {stages[rollout.stage + 1].name!r}: {passed}"
    state = after(rollout.state, Event.ADVANCE)
    return Move(state, rollout.stage + 1, words, "stage", tuple(gates), figures)


def _some_reasons(members: Sequence[Member]) -> list[str]:
    failed = [member for member in members if member.state is MemberState.FAILED and member.reason]
    return [f"{member.register} {member.reason}" for member in failed[:_REASONS_TOLD]]


# ---- returning --------------------------------------------------------------------------------------------


def _bring_back(members: Sequence[Member], evidence: Known, around: Surroundings) -> list[Action]:
    """Every exposed register to its own release of before, where that may still run; at once, at any pace."""
    actions: list[Action] = []
    for member in members:
        if member.state not in _EXPOSED:
            continue
        said = evidence.get(member.register)
        back = member.previous
        if member.told_at_ms is None:  # a shadow: what it was told stays
            back = None if said is None else said.desired_release
        if back not in around.may_run:
            back = None
        actions += [Tell(member.register, back), Mark(member.register, MemberState.RETURNING, member.reason)]
    return actions


def _return(
    rollout: Rollout, members: Sequence[Member], evidence: Known, around: Surroundings
) -> list[Action]:
    told = _bring_back(members, evidence, around)
    if told:
        return told
    away = [member for member in members if member.state not in _BACK]
    if any(not _given_up(rollout, member, evidence, around.now_ms) for member in away):
        return []
    back = sum(member.state is MemberState.RETURNED for member in members)
    words = _many(back, "is back", "are back")
    if away:
        words += f"; {len(away)} did not answer, and return when they do"
    return [Move(after(rollout.state, Event.SETTLED), rollout.stage, words, "returned")]


def _given_up(rollout: Rollout, member: Member, evidence: Known, now_ms: int) -> bool:
    """Whether a returning register was waited for long enough: its order is retained and waits for it.

    One that was never there since it was told has nothing to return from.
    """
    said = evidence.get(member.register)
    if now_ms - member.changed_at_ms >= rollout.plan.unreached_after_s * _MS:
        return True
    never = said is None or (not said.online and (said.heard_at_ms or 0) < (member.told_at_ms or math.inf))
    return never and (said is None or said.since_ms is None or said.since_ms < (member.told_at_ms or 0))


# ---- done -------------------------------------------------------------------------------------------------


def _go_on_done(
    rollout: Rollout, members: Sequence[Member], evidence: Known, around: Surroundings
) -> list[Action]:
    """Registers that were enrolled later get what the others have."""
    policy = around.policy
    if policy.stopped is not None or policy.frozen is not None:
        return []
    actions: list[Action] = []
    allowed = _allowed(rollout, members, around.now_ms)
    for member in members:
        ready = member.state is MemberState.WAITING and allowed
        if ready and may_be_told(rollout.plan, around.clocks.get(member.store)):
            actions += _told(rollout, member, evidence.get(member.register))
            allowed -= 1
    return actions


# ---- for people -------------------------------------------------------------------------------------------


def waits_for(
    rollout: Rollout,
    members: Sequence[Member],
    evidence: Known,
    around: Surroundings,
    gates: Sequence[GateVerdict],
) -> tuple[str, ...]:
    """What keeps a rollout where it is, in plain words; () where nothing does."""
    if rollout.state is State.PAUSED:
        return (f"paused: {rollout.reason or 'by a person'}",)
    if rollout.state is State.RETURNING:
        away = sum(member.state not in _BACK for member in members)
        return (_many(away, "is on its way back", "are on their way back"),) if away else ()
    if rollout.state is not State.RUNNING:
        return ()
    words = []
    if around.policy.frozen is not None:
        words.append(f"the chain is frozen by {around.policy.frozen}")
    here = [member for member in members if member.stage <= rollout.stage]
    outside = sum(
        member.state is MemberState.WAITING and not may_be_told(rollout.plan, around.clocks.get(member.store))
        for member in here
    )
    waiting = sum(member.state is MemberState.WAITING for member in here) - outside
    if outside:
        window = "shop's maintenance window"
        words.append(_many(outside, f"waits for its {window}", f"wait for their {window}"))
    if waiting:
        pace = f"told in turn, {rollout.plan.pace_per_minute} a minute"
        words.append(_many(waiting, f"is {pace}", f"are {pace}"))
    told = sum(
        member.state is not MemberState.WAITING and _unsettled(rollout, member, evidence, around.now_ms)
        for member in here
    )
    if told:
        words.append(_many(told, "has no outcome yet", "have no outcome yet"))
    words += [gate.waits or gate.words for gate in gates if gate.outcome is Outcome.NOT_ENOUGH]
    if not words and not _held_long_enough(rollout, members, around.now_ms):
        words.append(f"the stage is watched for {rollout.plan.stages[rollout.stage].hold_s} seconds")
    if not words and rollout.plan.stages[rollout.stage].approval:
        words.append("a person has to promote it")
    return tuple(dict.fromkeys(words))


def _many(number: int, one: str, more: str) -> str:
    return f"1 register {one}" if number == 1 else f"{number} registers {more}"
