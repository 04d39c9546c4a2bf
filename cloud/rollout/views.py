"""What the desk shows of rollouts; values for pages, tables and JSON. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cloud.rollout.values import GateVerdict, Member, MemberState, Policy, Rollout, State


@dataclass(frozen=True, slots=True)
class StagePreview:
    """A stage before it begins: what it adds to the ones before."""

    name: str
    registers: int
    stores: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """An open rollout that holds registers which a plan wants.

    Attributes:
        registers: Names, sorted.
    """

    rollout: bytes
    release: int
    registers: tuple[str, ...]

    @property
    def words(self) -> str:
        """`rollout … of release 7 holds 3 of them: till-1, till-2, till-3`."""
        some = ", ".join(self.registers[:3]) + (", …" if len(self.registers) > 3 else "")
        return (
            f"rollout {self.rollout.hex()} of release {self.release} holds {len(self.registers)} of its"
            f" registers: {some}"
        )


@dataclass(frozen=True, slots=True)
class Preview:
    """What a plan would do, if it were started now; nothing is changed.

    Attributes:
        name: The release's, for people.
        stages: In their order.
        registers, stores: In all stages together.
        conflicts: Open rollouts that must end first.
        warnings: What would make it wait, in plain words.
        words: `would reach 38 registers in 9 stores`.
    """

    release: int
    name: str
    stages: tuple[StagePreview, ...]
    registers: int
    stores: int
    conflicts: tuple[Conflict, ...]
    warnings: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class RolloutSummary:
    """One line of a list.

    Attributes:
        counts: Registers by state; empty for a draft.
    """

    rollout: bytes
    release: int
    name: str
    version: str
    state: State
    stage: int
    stages: tuple[str, ...]
    counts: Mapping[MemberState, int]
    reason: str | None
    created_by: str
    created_at_ms: int
    started_at_ms: int | None
    ended_at_ms: int | None


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage with its registers by state."""

    name: str
    registers: int
    counts: Mapping[MemberState, int]


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something that happened.

    Attributes:
        kind: `planned`, `approved`, `started`, `promoted`, `paused`, `resumed`, `return`, `stage`, `joined`,
            `register-failed`, `failed`, `returned`, `done`.
    """

    at_ms: int
    actor: str
    kind: str
    stage: int
    words: str


@dataclass(frozen=True, slots=True)
class RolloutView:
    """All of one rollout.

    Attributes:
        name, version: Of the release.
        gates: While it runs, as they speak now; of one that failed, as they spoke then.
        waiting: What it waits for, in plain words; empty where it waits for nothing.
        timeline: Newest first.
        policy: The chain's.
        planner: Id of who planned it, hex; empty for the command line, None where nothing says so.
    """

    rollout: Rollout
    name: str
    version: str
    stages: tuple[StageView, ...]
    members: tuple[Member, ...]
    gates: tuple[GateVerdict, ...]
    waiting: tuple[str, ...]
    timeline: tuple[TimelineEntry, ...]
    policy: Policy
    planner: str | None

    def may_approve(self, operator: bytes) -> bool:
        """Whether this operator is another person than who planned it, by id: names are no proof."""
        return self.planner not in {None, operator.hex()}


def summary_of(rollout: Rollout, name: tuple[str, str], counts: Mapping[MemberState, int]) -> RolloutSummary:
    """One line of a list; `name` is the release's name and version."""
    return RolloutSummary(
        rollout=rollout.rollout,
        release=rollout.release,
        name=name[0],
        version=name[1],
        state=rollout.state,
        stage=rollout.stage,
        stages=tuple(stage.name for stage in rollout.plan.stages),
        counts=counts,
        reason=rollout.reason,
        created_by=rollout.created_by,
        created_at_ms=rollout.created_at_ms,
        started_at_ms=rollout.started_at_ms,
        ended_at_ms=rollout.ended_at_ms,
    )


def stages_of(rollout: Rollout, members: Sequence[Member]) -> tuple[StageView, ...]:
    """Every stage with its registers by state."""
    views = []
    for index, stage in enumerate(rollout.plan.stages):
        counts: dict[MemberState, int] = {}
        for member in members:
            if member.stage == index:
                counts[member.state] = counts.get(member.state, 0) + 1
        views.append(StageView(stage.name, sum(counts.values()), counts))
    return tuple(views)
