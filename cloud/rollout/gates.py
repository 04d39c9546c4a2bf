"""The gates: each looks at what a rollout's registers say and answers pass, fail, or not enough. Pure.

What is not known is never a pass. A gate that would fail even if everything still missing were good fails at
once: it does not wait for its minimum.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cloud.rollout.values import (
    Evidence,
    Failure,
    GateKind,
    GateVerdict,
    Member,
    MemberState,
    Outcome,
    Rollout,
)
from cloud.rollout.watch import knows, reached
from cloud.rollout.words import many

ANSWERS_FOR_P99: Final = 30
"""Fewer answers of a register make no p99, unless the plan's minimum itself is smaller."""
_UNTOUCHED: Final = frozenset({MemberState.WAITING, MemberState.SKIPPED})
_UNDER_WAY: Final = frozenset({MemberState.TOLD, MemberState.SHADOW})
_INSTALL: Final = frozenset({Failure.REFUSED, Failure.RETURNED, Failure.UNFINISHED})
_SILENCE: Final = frozenset({Failure.SILENT, Failure.LYING})


@dataclass(slots=True)
class Tally:
    """What the registers of a rollout say, counted once for all gates.

    Attributes:
        told: Registers that were told, or run a shadow.
        there: Those of them that were there since; of the others nothing is known.
        failed: By the way they failed.
        running: What those say that attest the release, and know that they were told.
        shadows: What those say that run it as a shadow.
        shadowing: Registers that shall run it as a shadow.
    """

    told: int = 0
    there: int = 0
    shadowing: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    running: list[Evidence] = field(default_factory=list)
    shadows: list[Evidence] = field(default_factory=list)
    answers: int = 0
    errors: int = 0
    attempts: int = 0


def count(rollout: Rollout, members: Sequence[Member], evidence: Mapping[str, Evidence]) -> Tally:
    """Count what the registers say.

    Failures are counted over every stage so far. What the release does is counted in the present stage
    alone, so that a long good past of few registers cannot outvote what many now see; where a stage adds no
    register, in all of them.
    """
    tally, digest, release, stage = Tally(), rollout.digest, rollout.release, rollout.stage
    alone = any(member.stage == stage and member.state is not MemberState.SKIPPED for member in members)
    for member in members:
        state = member.state
        if state in _UNTOUCHED:
            continue
        said = evidence.get(member.register)
        tally.told += 1
        tally.there += state not in _UNDER_WAY or (said is not None and reached(member, said))
        if state is MemberState.FAILED:
            kind = (member.reason or "").partition(":")[0]
            tally.failed[kind] = tally.failed.get(kind, 0) + 1
        if alone and member.stage != stage:
            continue
        if state is MemberState.SHADOW:
            tally.shadowing += 1
            if said is not None and said.shadow_release == release and knows(member, said):
                tally.shadows.append(said)
        elif (
            said is not None
            and said.running_digest == digest
            and member.told_at_ms is not None
            and knows(member, said)
        ):
            tally.running.append(said)
            tally.answers += said.recommendations
            tally.errors += said.errors
            # Whether answers that failed are among the answers or beside them: never a share above one.
            tally.attempts += max(said.recommendations, said.errors)
    return tally


def judge(rollout: Rollout, tally: Tally) -> tuple[GateVerdict, ...]:
    """What every gate says that the plan asks for."""
    verdicts = [gate(rollout, tally) for gate in GATES]
    return tuple(verdict for verdict in verdicts if verdict is not None)


# ---- registers that failed --------------------------------------------------------------------------------


def budget(rollout: Rollout, tally: Tally) -> GateVerdict:
    """Registers that failed, in whatever way."""
    return _failures(rollout, tally, GateKind.BUDGET, frozenset(Failure), "failed")


def install(rollout: Rollout, tally: Tally) -> GateVerdict:
    """Those that refused, came to no end, or went back by themselves."""
    return _failures(rollout, tally, GateKind.INSTALL, _INSTALL, "refused or went back")


def crashes(rollout: Rollout, tally: Tally) -> GateVerdict:
    """Those that crashed."""
    return _failures(rollout, tally, GateKind.CRASHES, frozenset({Failure.CRASHED}), "crashed")


def silence(rollout: Rollout, tally: Tally) -> GateVerdict:
    """Those that said nothing, or not the truth."""
    return _failures(rollout, tally, GateKind.SILENCE, _SILENCE, "silent or untrue")


def _failures(
    rollout: Rollout, tally: Tally, kind: GateKind, ways: frozenset[Failure], what: str
) -> GateVerdict:
    gates = rollout.plan.gates
    failed = sum(tally.failed.get(way.value, 0) for way in ways)
    if not tally.told:
        waits = "no register was told yet"
        return GateVerdict(kind, Outcome.NOT_ENOUGH, waits, None, gates.failed_share, waits=waits)
    share = failed / tally.told
    words, waits = f"{failed} of {many(tally.told, 'register')} {what}", ""
    missing = max(0, gates.minimum_registers - len(tally.running))
    if failed >= gates.failed_minimum and share > gates.failed_share:
        outcome, words = Outcome.FAIL, f"{words}, at most {gates.failed_share:.0%} may"
    elif missing:
        outcome, words = (
            Outcome.NOT_ENOUGH,
            f"{words}, {_for_registers(missing)}",
        )
        waits = _for_registers(missing)
    elif failed >= gates.failed_minimum and _thinned_out(tally, failed, gates.failed_share):
        # Registers that were never there are no success, and many of them would hide every failure.
        outcome, missing = Outcome.NOT_ENOUGH, (tally.told + 1) // 2 - tally.there
        words = f"{failed} of {many(tally.there, 'register')} that were there {what}, most were never there"
        waits = words
    else:
        outcome = Outcome.PASS
    return GateVerdict(kind, outcome, words, share, gates.failed_share, missing, waits)


def _for_registers(missing: int) -> str:
    runs = "runs" if missing == 1 else "run"
    return f"waiting for {many(missing, 'more register')} that {runs} it"


def _thinned_out(tally: Tally, failed: int, limit: float) -> bool:
    """Whether too many failed of those that were there, and fewer than half were."""
    return 2 * tally.there < tally.told and failed > limit * tally.there


# ---- what the release does --------------------------------------------------------------------------------


def latency(rollout: Rollout, tally: Tally) -> GateVerdict:
    """The p99 of the slowest but `slow_share` of the registers, against the release's budget."""
    gates = rollout.plan.gates
    limit = rollout.budget_p99_ms * gates.latency_of_budget
    enough = min(ANSWERS_FOR_P99, gates.minimum_recommendations)
    value = _slowest_but(
        gates.slow_share,
        [said.p99_ms for said in tally.running if said.recommendations >= enough],
    )
    missing = max(0, gates.minimum_recommendations - tally.answers)
    if value is None:
        return _waits(GateKind.LATENCY, max(missing, 1), limit)
    words = f"p99 {value:.1f} of {limit:g} ms"
    if missing:
        # One register alone may be a broken till among many; what all of the minimum says is the release's.
        return _short(GateKind.LATENCY, words, value, limit, missing)
    outcome = Outcome.FAIL if value > limit else Outcome.PASS
    return GateVerdict(GateKind.LATENCY, outcome, words, value, limit)


def errors(rollout: Rollout, tally: Tally) -> GateVerdict:
    """The share of recommendations that failed."""
    gates = rollout.plan.gates
    limit, missing = gates.error_share, max(0, gates.minimum_recommendations - tally.attempts)
    if not tally.attempts:
        return _waits(GateKind.ERRORS, missing, limit)
    share = tally.errors / tally.attempts
    words = f"{share:.2%} of answers failed, at most {limit:g} may" if share else "no answer failed"
    # Even if all the missing ones were good.
    if tally.errors > limit * max(tally.attempts, gates.minimum_recommendations):
        return GateVerdict(GateKind.ERRORS, Outcome.FAIL, words, share, limit)
    if missing:
        return _short(GateKind.ERRORS, words, share, limit, missing)
    return GateVerdict(GateKind.ERRORS, Outcome.PASS, words, share, limit)


def confidence(rollout: Rollout, tally: Tally) -> GateVerdict | None:
    """How far the probability of the first flavour moved."""
    counts = [said.confidence for said in tally.running if said.confidence]
    return _drift(rollout, GateKind.CONFIDENCE, counts, rollout.plan.gates.confidence_drift)


def labels(rollout: Rollout, tally: Tally) -> GateVerdict | None:
    """How far it moved which flavours come first."""
    counts = [said.labels for said in tally.running if said.labels]
    return _drift(rollout, GateKind.LABELS, counts, rollout.plan.gates.label_drift)


def _drift(
    rollout: Rollout, kind: GateKind, counts: Sequence[tuple[int, ...]], limit: float | None
) -> GateVerdict | None:
    if limit is None:
        return None
    minimum = rollout.plan.gates.minimum_recommendations
    before = rollout.baseline.get(kind.value, ())
    if sum(before) < minimum:
        words = f"fewer than {minimum} answers from before it began, nothing to compare with"
        missing = minimum - int(sum(before))
        return GateVerdict(kind, Outcome.NOT_ENOUGH, words, None, limit, missing, words)
    if any(len(one) != len(before) for one in counts):
        words = "counts of another catalogue than before, nothing to compare with"
        return GateVerdict(kind, Outcome.NOT_ENOUGH, words, None, limit, minimum, words)
    now = [sum(column) for column in zip(*counts, strict=True)]
    missing = max(0, minimum - sum(now))
    if missing:
        return _waits(kind, missing, limit)
    value = stability_index(before, now)
    outcome = Outcome.FAIL if value > limit else Outcome.PASS
    return GateVerdict(kind, outcome, f"{kind.value} drift {value:.2f} of {limit:g}", value, limit)


def stability_index(before: Sequence[float], now: Sequence[float]) -> float:
    """The population stability index: Σ (q - p) · ln(q / p) over the classes.

    Half an observation is added to each class, so that an empty one costs much and not infinitely much.

    Args:
        before: Counts by class.
        now: Counts by class, as many.
    """
    classes = len(before)
    total_before, total_now = sum(before) + classes / 2, sum(now) + classes / 2
    index = 0.0
    for then, here in zip(before, now, strict=True):
        expected, actual = (then + 0.5) / total_before, (here + 0.5) / total_now
        index += (actual - expected) * math.log(actual / expected)
    return index


def shadow(rollout: Rollout, tally: Tally) -> GateVerdict | None:
    """How often a shadow's first flavour is that of the model in use; and its errors and p99."""
    limit = rollout.plan.gates.shadow_agreement
    if limit is None or not rollout.plan.shadow_first or not tally.shadowing:
        return None
    compared = sum(said.shadow_compared for said in tally.shadows)
    failed = sum(said.shadow_errors for said in tally.shadows)
    gates, missing = rollout.plan.gates, max(0, rollout.plan.gates.minimum_recommendations - compared)
    enough = min(ANSWERS_FOR_P99, gates.minimum_recommendations)
    p99_ms = _slowest_but(
        gates.slow_share,
        [said.shadow_p99_ms for said in tally.shadows if said.shadow_compared >= enough],
    )
    if failed > gates.error_share * max(compared, failed, gates.minimum_recommendations):
        words = f"{failed} answers of the shadow failed"
        return GateVerdict(GateKind.SHADOW, Outcome.FAIL, words, failed / max(compared, failed), limit)
    if missing or p99_ms is None:
        return _waits(GateKind.SHADOW, max(missing, 1), limit)
    agreement = sum(said.shadow_same_first for said in tally.shadows) / compared
    budget_ms = rollout.budget_p99_ms * gates.latency_of_budget
    words = f"shadow agrees in {agreement:.0%}, at least {limit:.0%}; p99 {p99_ms:.1f} of {budget_ms:g} ms"
    good = agreement >= limit and p99_ms <= budget_ms
    return GateVerdict(GateKind.SHADOW, Outcome.PASS if good else Outcome.FAIL, words, agreement, limit)


GATES: Final = (budget, install, crashes, silence, latency, errors, confidence, labels, shadow)
"""In the order in which people read them. A gate on sales joins them here when sales are measured."""


def _slowest_but(share: float, measured: Sequence[float | None]) -> float | None:
    """The greatest of the measures but for this share of them; None where nothing was measured."""
    known = sorted(one for one in measured if one is not None)
    if not known:
        return None
    return known[max(1, math.ceil(round((1 - share) * len(known), 9))) - 1]


def _waits(kind: GateKind, missing: int, limit: float) -> GateVerdict:
    waits = f"waiting for {many(missing, 'more answer')}"
    return GateVerdict(kind, Outcome.NOT_ENOUGH, waits, None, limit, missing, waits)


def _short(kind: GateKind, words: str, value: float, limit: float, missing: int) -> GateVerdict:
    """Something is measured already, and not enough of it."""
    waits = f"waiting for {many(missing, 'more answer')}"
    return GateVerdict(kind, Outcome.NOT_ENOUGH, f"{words}, {waits}", value, limit, missing, waits)
