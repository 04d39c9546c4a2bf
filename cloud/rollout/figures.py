"""What the registers of each stage report of a release, summed up; and as JSON, to be kept. Pure.

A register keeps no word of a release that it left, and the cloud keeps its newest report alone. So the sums
go into the timeline with whatever ended a stage, where the evidence is looked for afterwards.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from cloud.rollout.values import Evidence, Member, Rollout, StageFigures
from cloud.rollout.watch import knows


def stage_figures(
    rollout: Rollout, members: Sequence[Member], evidence: Mapping[str, Evidence]
) -> tuple[StageFigures, ...]:
    """Sums by stage, over the registers that were told, know it, and attest the release, as gates count."""
    by_stage: dict[int, list[Evidence]] = {}
    for member in members:
        said = evidence.get(member.register)
        if (
            said is not None
            and member.told_at_ms is not None
            and said.running_digest == rollout.digest
            and knows(member, said)
        ):
            by_stage.setdefault(member.stage, []).append(said)
    return tuple(_sum_up(stage.name, by_stage.get(at, [])) for at, stage in enumerate(rollout.plan.stages))


def _sum_up(name: str, said: Sequence[Evidence]) -> StageFigures:
    p99s = [one.p99_ms for one in said if one.p99_ms is not None]
    return StageFigures(
        name,
        len(p99s),
        median(p99s) if p99s else None,
        max(p99s, default=None),
        sum(one.recommendations for one in said),
        sum(one.errors for one in said),
        _sums([one.confidence for one in said]),
        _sums([one.labels for one in said]),
    )


def _sums(counts: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Column by column; those of another length are of another catalogue and left out."""
    longest = max((len(one) for one in counts), default=0)
    same = [one for one in counts if len(one) == longest]
    return tuple(sum(column) for column in zip(*same, strict=True))


def figures_to(figures: StageFigures) -> dict[str, Any]:
    """As JSON; `figures_from` reads it back."""
    return {
        "name": figures.name,
        "registers": figures.registers,
        "typical_ms": figures.typical_ms,
        "slowest_ms": figures.slowest_ms,
        "recommendations": figures.recommendations,
        "errors": figures.errors,
        "confidence": list(figures.confidence),
        "labels": list(figures.labels),
    }


def figures_from(value: Mapping[str, Any]) -> StageFigures:
    """What `figures_to` wrote."""
    return StageFigures(
        value["name"],
        value["registers"],
        value["typical_ms"],
        value["slowest_ms"],
        value["recommendations"],
        value["errors"],
        tuple(value["confidence"]),
        tuple(value["labels"]),
    )
