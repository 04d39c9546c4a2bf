"""Which register belongs to which stage. Pure.

A register's place is a hash of chain, release and its name: the preview names the very registers that the
start will take, another release begins with other tills, and a greater share only adds.
"""

import hashlib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cloud.rollout.values import Member, MemberState, Plan, Rollout

_DIGITS: Final = 9
"""A share times a number is rounded to so many digits first: 0.1 of 30 is 3, also in binary fractions."""


@dataclass(frozen=True, slots=True)
class Till:
    """A register and its shop."""

    register: str
    store: str


def place(tenant: str, release: int, register: str) -> int:
    """Where a register stands in the row, from 0 to 2**64."""
    text = f"{tenant}/{release}/{register}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def covered(plan: Plan, tills: Sequence[Till]) -> list[Till]:
    """Those that the plan is about."""
    if not plan.stores:
        return list(tills)
    stores = frozenset(plan.stores)
    return [till for till in tills if till.store in stores]


def members_of(
    plan: Plan, tenant: str, release: int, tills: Sequence[Till], groups: Mapping[str, Collection[str]]
) -> list[Member]:
    """Every register with its stage, in the order of their places; each belongs to the first that has it.

    Args:
        plan: With at least one stage.
        tenant: The chain.
        release: What is rolled out.
        tills: The chain's registers that may be told.
        groups: Name -> registers.
    """
    row = sorted(covered(plan, tills), key=lambda till: place(tenant, release, till.register))
    stage_of: dict[str, int] = {}
    for index, stage in enumerate(plan.stages):
        if stage.group is not None:
            named = frozenset(groups.get(stage.group, ()))
            chosen = [till for till in row if till.register in named]
        else:
            chosen = row[: _size(stage.share, stage.count, len(row))]
        for till in chosen:
            stage_of.setdefault(till.register, index)
    return [
        Member(till.register, till.store, stage_of[till.register], MemberState.WAITING)
        for till in row
        if till.register in stage_of
    ]


def joining(
    rollout: Rollout,
    members: Sequence[Member],
    late: Sequence[Till],
    groups: Mapping[str, Collection[str]],
) -> list[Member]:
    """Registers that were enrolled after the start: each joins the stage in whose part of the row it stands.

    Nobody leaves a stage for them, and a stage of a fixed number takes none.
    """
    plan, tenant, release = rollout.plan, rollout.tenant, rollout.release
    ends = _ends(plan, tenant, release, members)
    joined = []
    for till in covered(plan, late):
        stands = place(tenant, release, till.register)
        for index, stage in enumerate(plan.stages):
            in_group = stage.group is not None and till.register in groups.get(stage.group, ())
            if in_group or (stage.share is not None and stands <= ends[index]):
                joined.append(Member(till.register, till.store, index, MemberState.WAITING))
                break
    return joined


def _ends(plan: Plan, tenant: str, release: int, members: Sequence[Member]) -> list[int]:
    """Where in the row each stage ends: the farthest place of its members, or of an earlier share's."""
    farthest: dict[int, int] = {}
    for member in members:
        stands = place(tenant, release, member.register)
        farthest[member.stage] = max(farthest.get(member.stage, -1), stands)
    ends, end = [], -1
    for index, stage in enumerate(plan.stages):
        if stage.group is None:
            end = max(end, farthest.get(index, -1))
        ends.append(1 << 64 if stage.share == 1.0 else end)
    return ends


def _size(share: float | None, count: int | None, registers: int) -> int:
    if count is not None:
        return min(count, registers)
    return math.ceil(round((share or 0.0) * registers, _DIGITS))
