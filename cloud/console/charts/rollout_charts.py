"""The charts of one rollout, from what its registers report. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cloud.console.charts.values import Chart, Series, Shape, Tone, table_of
from cloud.rollout.values import MemberState, StageFigures

_FLAVOURS_SHOWN: Final = 12
"""More flavours than this become one column, `others`."""
_STEPS_MAX: Final = 300
"""A chart of states has at most so many instants; a pixel is not worth more."""

_STATES: Final = (
    (MemberState.GOOD, "good", Tone.GOOD),
    (MemberState.TOLD, "told", Tone.CALM),
    (MemberState.SHADOW, "in shadow", Tone.ASIDE),
    (MemberState.WAITING, "not told", Tone.QUIET),
    (MemberState.FAILED, "failed", Tone.BAD),
    (MemberState.RETURNING, "returning", Tone.WARN),
    (MemberState.RETURNED, "returned", Tone.OTHER),
)


@dataclass(frozen=True, slots=True)
class MemberMoves:
    """When one register was told, and came to the state that it is in."""

    state: MemberState
    told_at_ms: int | None
    changed_at_ms: int


def latency_chart(stages: Sequence[StageFigures], budget_ms: float) -> Chart:
    """p99 by stage, of the typical and of the slowest register, against the release's budget."""
    known = [
        (stage.name, stage.typical_ms, stage.slowest_ms)
        for stage in stages
        if stage.typical_ms is not None and stage.slowest_ms is not None
    ]
    rows = [
        (
            stage.name,
            "-" if stage.typical_ms is None else f"{stage.typical_ms:.1f}",
            "-" if stage.slowest_ms is None else f"{stage.slowest_ms:.1f}",
            f"{stage.registers:,}",
        )
        for stage in stages
    ]
    said = "; ".join(
        f"{name}: {typical:.1f} ms typical, {slowest:.1f} ms slowest" for name, typical, slowest in known
    )
    return Chart(
        name="latency",
        title="Slowest answers (p99)",
        shape=Shape.COLUMNS,
        x_title="stage",
        y_title="p99, ms",
        series=(
            Series("typical register", Tone.CALM, tuple((name, typical) for name, typical, _ in known)),
            Series("slowest register", Tone.WARN, tuple((name, slowest) for name, _, slowest in known)),
        ),
        table=table_of(("stage", "typical, ms", "slowest, ms", "registers"), rows),
        alternative=f"p99 by stage, budget {budget_ms:g} ms. {said or 'No register reports yet'}.",
        limit=(budget_ms, f"budget {budget_ms:g} ms"),
    )


def errors_chart(stages: Sequence[StageFigures], limit: float) -> Chart:
    """Share of recommendations that failed, by stage, against the gate's limit."""
    known = [(stage, stage.errors / stage.recommendations) for stage in stages if stage.recommendations]
    shares = {stage.name: share for stage, share in known}
    rows = [
        (
            stage.name,
            _percent(shares[stage.name]) if stage.name in shares else "-",
            f"{stage.errors:,}",
            f"{stage.recommendations:,}",
        )
        for stage in stages
    ]
    said = "; ".join(f"{stage.name}: {_percent(share)}" for stage, share in known)
    return Chart(
        name="errors",
        title="Failed recommendations",
        shape=Shape.COLUMNS,
        x_title="stage",
        y_title="share that failed",
        series=(Series("failed", Tone.BAD, tuple((stage.name, share) for stage, share in known)),),
        table=table_of(("stage", "share", "failed", "answers"), rows),
        alternative=f"Share of failed recommendations by stage, limit {_percent(limit)}. "
        f"{said or 'No answers yet'}.",
        limit=(limit, f"limit {_percent(limit)}"),
        percent=True,
    )


def confidence_chart(stage: StageFigures, before: Sequence[float]) -> Chart:
    """How sure the first flavour was, before the rollout and in this stage."""
    names = [f"{10 * step}-{10 * step + 10} %" for step in range(10)]
    return _drift_chart(
        name="confidence",
        title="How sure the first flavour is",
        x_title="probability of the first flavour",
        names=names,
        before=_shares(before, 10),
        now=_shares(stage.confidence, 10),
    )


def labels_chart(stage: StageFigures, before: Sequence[float], flavours: Sequence[str]) -> Chart:
    """Which flavours come first, before the rollout and in this stage; rare ones together."""
    count = max(len(flavours), len(stage.labels), len(before))
    names = [flavours[index] if index < len(flavours) else f"flavour {index}" for index in range(count)]
    old, new = _shares(before, count), _shares(stage.labels, count)
    order = sorted(range(count), key=lambda index: (-max(old[index], new[index]), index))
    shown, rest = sorted(order[:_FLAVOURS_SHOWN]), order[_FLAVOURS_SHOWN:]
    picked = _unique([names[index] for index in shown])
    old_shown, new_shown = [old[index] for index in shown], [new[index] for index in shown]
    if rest:
        picked.append("others")
        old_shown.append(sum(old[index] for index in rest))
        new_shown.append(sum(new[index] for index in rest))
    return _drift_chart(
        name="labels",
        title="Which flavour comes first",
        x_title="flavour",
        names=picked,
        before=old_shown,
        now=new_shown,
        lying=True,
    )


def states_chart(members: Iterable[MemberMoves], started_at_ms: int, now_ms: int) -> Chart:
    """How many registers were in which state, from the start to now.

    What is kept of a register is when it was told and when it came to its present state; a register that
    came back counts as told in between.
    """
    moves: list[tuple[int, MemberState, int]] = []
    for member in members:
        moves.append((started_at_ms, MemberState.WAITING, 1))
        place = MemberState.WAITING
        if member.told_at_ms is not None:
            moves += [(member.told_at_ms, place, -1), (member.told_at_ms, MemberState.TOLD, 1)]
            place = MemberState.TOLD
        if member.state not in {place, MemberState.SKIPPED}:
            moves += [(member.changed_at_ms, place, -1), (member.changed_at_ms, member.state, 1)]
        elif member.state is MemberState.SKIPPED:
            moves.append((member.changed_at_ms, place, -1))
    instants = sorted(
        {max(at, started_at_ms) for at, _, _ in moves if at <= now_ms} | {started_at_ms, now_ms}
    )
    kept = _thinned(instants)
    counts: dict[MemberState, int] = dict.fromkeys((state for state, _, _ in _STATES), 0)
    lines: dict[MemberState, list[tuple[int | str, float]]] = {state: [] for state, _, _ in _STATES}
    moves.sort(key=lambda move: move[0])
    done = 0
    for instant in kept:
        while done < len(moves) and max(moves[done][0], started_at_ms) <= instant:
            _, state, change = moves[done]
            counts[state] += change
            done += 1
        for state, line in lines.items():
            line.append((instant, counts[state]))
    present = [(state, name, tone) for state, name, tone in _STATES if any(y for _, y in lines[state])]
    said = ", ".join(f"{counts[state]} {name}" for state, name, _ in present if counts[state])
    return Chart(
        name="states",
        title="Registers by state",
        shape=Shape.AREAS,
        x_title="time (UTC)",
        y_title="registers",
        series=tuple(Series(name, tone, tuple(lines[state])) for state, name, tone in present),
        table=table_of(
            ("state", "registers now"), [(name, f"{counts[state]:,}") for state, name, _ in present]
        ),
        alternative=f"Registers by state since the start; now {said or 'none'}.",
        time=True,
    )


def _drift_chart(
    *,
    name: str,
    title: str,
    x_title: str,
    names: Sequence[str],
    before: Sequence[float],
    now: Sequence[float],
    lying: bool = False,
) -> Chart:
    rows = [(label, _percent(old), _percent(new)) for label, old, new in zip(names, before, now, strict=True)]
    series = (
        Series("before", Tone.QUIET, tuple(zip(names, before, strict=True)) if any(before) else ()),
        Series("this stage", Tone.CALM, tuple(zip(names, now, strict=True)) if any(now) else ()),
    )
    moved = max(zip(names, before, now, strict=True), key=lambda row: abs(row[2] - row[1]), default=None)
    told = "No answers yet."
    if any(now) and moved is not None:
        label, old, new = moved
        told = f"It moved most at {label}: from {_percent(old)} to {_percent(new)}."
    return Chart(
        name=name,
        title=title,
        shape=Shape.BARS if lying else Shape.COLUMNS,
        x_title=x_title,
        y_title="share of answers",
        series=tuple(one for one in series if one.points),
        table=table_of((x_title, "before", "this stage"), rows),
        alternative=f"{title}, before and in this stage. {told}",
        percent=True,
    )


def _shares(counts: Sequence[float], length: int) -> list[float]:
    padded = [float(count) for count in counts[:length]] + [0.0] * (length - len(counts[:length]))
    whole = sum(padded)
    return [count / whole for count in padded] if whole > 0 else padded


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _unique(names: Sequence[str]) -> list[str]:
    """Two flavours of one name would share a column."""
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unique


def _thinned(instants: Sequence[int]) -> list[int]:
    if len(instants) <= _STEPS_MAX:
        return list(instants)
    step = (len(instants) - 1) / (_STEPS_MAX - 1)
    return [instants[round(index * step)] for index in range(_STEPS_MAX)]
