"""Rules of the controller, broken one by one: the referee must catch each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from cloud.rollout import decide, gates, watch
from cloud.rollout.values import MemberState, Outcome, Rollout, State
from tests.simulation.fleet.till import Flaw
from tests.simulation.fleet.world import Mutant, flaw_of, withdrawn_in


def _gate_passes(kind: str) -> AbstractContextManager[object]:
    honest = decide.judge

    def judge(rollout: Rollout, tally: gates.Tally) -> Any:
        verdicts = honest(rollout, tally)
        return tuple(
            replace(one, outcome=Outcome.PASS) if kind in {one.kind.value, "all"} else one for one in verdicts
        )

    return patch.object(decide, "judge", judge)


def _failures_pass() -> AbstractContextManager[object]:
    honest = decide.judge
    of_registers = {"budget", "install", "crashes", "silence"}

    def judge(rollout: Rollout, tally: gates.Tally) -> Any:
        verdicts = honest(rollout, tally)
        return tuple(
            replace(one, outcome=Outcome.PASS) if one.kind.value in of_registers else one for one in verdicts
        )

    return patch.object(decide, "judge", judge)


def _unknown_passes() -> AbstractContextManager[object]:
    honest = decide.judge

    def judge(rollout: Rollout, tally: gates.Tally) -> Any:
        return tuple(
            replace(one, outcome=Outcome.PASS) if one.outcome is Outcome.NOT_ENOUGH else one
            for one in honest(rollout, tally)
        )

    return patch.object(decide, "judge", judge)


def _no_stages() -> AbstractContextManager[object]:
    honest = decide._tell

    def tell(rollout: Rollout, *rest: Any) -> Any:
        return honest(replace(rollout, stage=len(rollout.plan.stages) - 1), *rest)

    return patch.object(decide, "_tell", tell)


def _no_pace() -> AbstractContextManager[object]:
    return patch.object(decide, "_allowed", lambda *_: 1_000_000)


def _nobody_returns() -> AbstractContextManager[object]:
    return patch.object(decide, "_bring_back", lambda *_: [])


def _to_the_installed() -> AbstractContextManager[object]:
    honest = decide._bring_back

    def bring_back(members: Any, *rest: Any) -> Any:
        return honest([replace(member, previous=None) for member in members], *rest)

    return patch.object(decide, "_bring_back", bring_back)


def _failed_stay() -> AbstractContextManager[object]:
    return patch.object(decide, "_EXPOSED", frozenset({MemberState.TOLD, MemberState.GOOD}))


def _any_generation() -> AbstractContextManager[object]:
    def knows(_: Any, said: Any) -> bool:
        return said.heard_at_ms is not None

    return patch.object(watch, "knows", knows)


def _word_is_enough() -> AbstractContextManager[object]:
    return patch.object(watch, "_is_good", watch._says_good)


def _no_timers() -> AbstractContextManager[object]:
    return patch.object(watch, "_overdue", lambda *_: None)


def _nobody_is_waited_for() -> AbstractContextManager[object]:
    return patch.object(decide, "left_out", lambda *_: True)


def _pauses_end() -> AbstractContextManager[object]:
    honest = decide._go_on

    def go_on(rollout: Rollout, *rest: Any) -> Any:
        return honest(replace(rollout, state=State.RUNNING), *rest)

    return patch.object(decide, "_go_on", go_on)


def _frozen_is_ignored() -> AbstractContextManager[object]:
    honest = decide._go_on

    def go_on(rollout: Any, members: Any, evidence: Any, around: Any) -> Any:
        thawed = replace(around, policy=replace(around.policy, frozen=None))
        return honest(rollout, members, evidence, thawed)

    return patch.object(decide, "_go_on", go_on)


def _withdrawn_goes_on() -> AbstractContextManager[object]:
    honest = decide._go_on

    def go_on(rollout: Any, members: Any, evidence: Any, around: Any) -> Any:
        return honest(rollout, members, evidence, replace(around, may_run=around.may_run | {rollout.release}))

    return patch.object(decide, "_go_on", go_on)


def _settled_at_once() -> AbstractContextManager[object]:
    return patch.object(decide, "_given_up", lambda *_: True)


def _of(*flaws: Flaw) -> Callable[[int], bool]:
    return lambda seed: flaw_of(seed) in flaws


MUTANTS = (
    Mutant("no gate fails", lambda: _gate_passes("all"), shows=_of(Flaw.REFUSED)),
    Mutant("failed registers do not count", _failures_pass, shows=_of(Flaw.TRIAL)),
    Mutant("p99 does not count", lambda: _gate_passes("latency"), shows=_of(Flaw.SLOW)),
    Mutant("errors do not count", lambda: _gate_passes("errors"), shows=_of(Flaw.ERRORS)),
    Mutant(
        "drift of confidence does not count", lambda: _gate_passes("confidence"), shows=_of(Flaw.CONFIDENCE)
    ),
    Mutant("drift of labels does not count", lambda: _gate_passes("labels"), shows=_of(Flaw.LABELS)),
    Mutant("a shadow always agrees", lambda: _gate_passes("shadow"), shows=_of(Flaw.SHADOW)),
    Mutant("what is not known is a pass", _unknown_passes, shows=_of(Flaw.SLOW, Flaw.LABELS)),
    Mutant("all stages at once", _no_stages),
    Mutant("no pace", _no_pace),
    Mutant("nobody returns", _nobody_returns, shows=_of(Flaw.REFUSED, Flaw.ERRORS)),
    Mutant("back to the installed model, not to the one of before", _to_the_installed, shows=_of(Flaw.SLOW)),
    Mutant("failed registers are not brought back", _failed_stay, shows=_of(Flaw.HANGS)),
    Mutant("a report of before the order counts", _any_generation, shows=_of(Flaw.HANGS, Flaw.SLOW)),
    Mutant("its word is enough", _word_is_enough),
    Mutant("silence is patience", _no_timers, shows=_of(Flaw.HANGS)),
    Mutant("nobody is waited for", _nobody_is_waited_for),
    Mutant("a pause tells on", _pauses_end),
    Mutant("a freeze tells on", _frozen_is_ignored),
    Mutant("a withdrawn release goes on", _withdrawn_goes_on, shows=withdrawn_in),
    Mutant("returned before they are back", _settled_at_once, shows=_of(Flaw.LABELS, Flaw.CONFIDENCE)),
    Mutant("the last writer wins", unguarded=True),
)
