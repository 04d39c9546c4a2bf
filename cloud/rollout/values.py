"""What rollout decisions are made of: plan, rollout, members, evidence, verdicts, actions. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from wire_protocol.fleet_messages import UpdateReason, UpdateState


class State(StrEnum):
    """Where a rollout is. A stopped one returns every register that it changed, then it is `returned`."""

    DRAFT = "draft"  # planned; waits for its start, or for a second person
    RUNNING = "running"
    PAUSED = "paused"  # by a person, or by a hold that asks for one; nothing new is told to any register
    RETURNING = "returning"  # failed, or a person said so: exposed registers go back
    RETURNED = "returned"
    DONE = "done"  # every member of the last stage runs the release and passed


OPEN: frozenset[State] = frozenset({State.RUNNING, State.PAUSED, State.RETURNING})
"""States in which a rollout holds its registers: no other rollout may want them."""


class MemberState(StrEnum):
    """Where one register of a rollout is."""

    WAITING = "waiting"  # of a stage that has not told it yet
    TOLD = "told"  # the desired state was set; no word of the outcome yet
    GOOD = "good"  # it attests the release's digest and passed its trial
    FAILED = "failed"  # refused, bad, crashing, silent beyond its timer, or lying
    RETURNING = "returning"  # told to go back
    RETURNED = "returned"  # attests another digest again
    SKIPPED = "skipped"  # revoked, or gone from the fleet


class Outcome(StrEnum):
    """Three verdicts, as a gate speaks them. What is not known is never a pass."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    NOT_ENOUGH = "not-enough"
    """Not enough evidence: hold, for ever if need be."""


class GateKind(StrEnum):
    """What a gate looks at."""

    INSTALL = "install"  # share of registers that refused or could not fetch
    CRASHES = "crashes"
    SILENCE = "silence"  # registers that said nothing within their timer
    LATENCY = "latency"  # p99 against the release's budget
    ERRORS = "errors"  # share of recommendations that failed
    CONFIDENCE = "confidence"  # drift of the first flavour's probability against before
    LABELS = "labels"  # drift of which flavours come first
    SHADOW = "shadow"  # agreement of a shadow with the model in use
    SALES = "sales"  # of a later version; without evidence it is not asked for


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """What a gate says of the present stage.

    Attributes:
        value: Measured; None where there is nothing yet.
        limit: What it may be.
        missing: How many more answers or registers it waits for.
        words: For people, one line: `p99 3.1 of 10 ms`.
    """

    kind: GateKind
    outcome: Outcome
    words: str
    value: float | None = None
    limit: float | None = None
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """One widening: by share of the fleet, or a named group.

    Attributes:
        share: 0 < share ≤ 1 of all registers that the plan covers, the first by hash; None for a group.
        group: Name of a group of registers; None for a share.
        hold_s: The stage is watched for at least so long after its last register was told.
        approval: A person promotes; else the gates alone do.
    """

    name: str
    share: float | None = None
    group: str | None = None
    hold_s: int = 600
    approval: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """When registers may be told, by the shop's own clock; outside, they wait.

    Attributes:
        days: 0 (Monday) to 6.
        start, end: Minutes since midnight; an end before the start is on the next day.
    """

    days: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Gates:
    """Limits; beyond them a stage fails, and before `minimum_*` nothing is judged."""

    failed_share: float = 0.1  # of the told registers: install, crash, silence, lies
    failed_minimum: int = 1  # at least so many failed registers before a share counts
    latency_of_budget: float = 1.0  # p99 over the release's budget
    error_share: float = 0.01
    confidence_drift: float = 0.25  # population stability index against the baseline
    label_drift: float = 0.25
    shadow_agreement: float | None = None  # share of the same first flavour, at least; None: not asked
    minimum_recommendations: int = 500  # in the stage, before drift, errors and latency are judged
    minimum_registers: int = 1  # that attest the release


@dataclass(frozen=True, slots=True)
class Plan:
    """How a release goes through a fleet.

    Attributes:
        pace_per_minute: Registers told a minute at most.
        window: The chain's maintenance windows; () is always.
        outside_opening: Only while the register's shop is closed, where its hours are known.
        silent_after_s: A told register without a word of the outcome counts as failed after so long *online*.
        unreached_after_s: A told register that never came online is left `told`, and does not block the stage
            once so much time passed; it is never counted as a success.
        stores, registers: Only these; () is the whole chain.
    """

    stages: tuple[Stage, ...]
    gates: Gates = field(default_factory=Gates)
    pace_per_minute: int = 60
    window: tuple[Window, ...] = ()
    outside_opening: bool = False
    silent_after_s: int = 900
    unreached_after_s: int = 86_400
    stores: tuple[str, ...] = ()
    shadow_first: bool = False


@dataclass(frozen=True, slots=True)
class Rollout:
    """A release on its way; a row of `rollouts`."""

    tenant: str
    rollout: bytes
    revision: int
    release: int
    digest: str
    budget_p99_ms: float
    previous: int | None
    state: State
    stage: int
    plan: Plan
    baseline: Mapping[str, tuple[float, ...]]
    reason: str | None
    created_by: str
    approved_by: str | None
    started_at_ms: int | None
    stage_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Member:
    """One register of a rollout, as the database remembers it."""

    register: str
    store: str
    stage: int
    state: MemberState
    previous: int | None
    generation: int | None
    told_at_ms: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one register now, from its newest verified report.

    Attributes:
        active: Enrolled and not revoked.
        running_digest: Attested: the digest of the network in its memory; None where no report came.
        heard_at_ms: When its newest report was received; None: never.
        online_ms: For how long it has been connected without a break; 0 where it is not.
    """

    register: str
    active: bool
    heard_at_ms: int | None = None
    online_ms: int = 0
    generation: int = 0
    running_digest: str | None = None
    update_release: int | None = None
    update_state: UpdateState | None = None
    update_reason: UpdateReason | None = None
    recommendations: int = 0
    errors: int = 0
    crashes: int = 0
    p99_ms: float | None = None
    confidence: tuple[int, ...] = ()
    labels: tuple[int, ...] = ()
    shadow_release: int | None = None
    shadow_compared: int = 0
    shadow_same_first: int = 0


# ---- what decide answers ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tell:
    """Set this register's desired release; None: the model that it was installed with."""

    register: str
    release: int | None


@dataclass(frozen=True, slots=True)
class Mark:
    """A member's new state."""

    register: str
    state: MemberState
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """The rollout's new state or stage, and why in plain words."""

    state: State
    stage: int
    words: str


Action = Tell | Mark | Move
