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
    SHADOW = "shadow"  # it runs the release beside its own model, shown to nobody
    TOLD = "told"  # the desired state was set; no word of the outcome yet
    GOOD = "good"  # it attests the release's digest and passed its trial
    FAILED = "failed"  # refused, bad, crashing, silent beyond its timer, or lying
    RETURNING = "returning"  # told to go back
    RETURNED = "returned"  # attests another digest again
    SKIPPED = "skipped"  # revoked, or gone from the fleet


class Failure(StrEnum):
    """In which way a register failed; a member's reason begins with it, as in `silent: no report`."""

    REFUSED = "refused"  # it never ran there: preflight, signature, no room
    CRASHED = "crashed"
    RETURNED = "returned"  # it ran, and the register left it by itself
    SILENT = "silent"  # connected, and no word about the order
    UNFINISHED = "unfinished"  # it knows the order, and came to no end
    LYING = "lying"  # says good, and attests another model


class Outcome(StrEnum):
    """Three verdicts, as a gate speaks them. What is not known is never a pass."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    NOT_ENOUGH = "not-enough"
    """Not enough evidence: hold, for ever if need be."""


class GateKind(StrEnum):
    """What a gate looks at."""

    BUDGET = "budget"  # registers that failed, for whatever reason
    INSTALL = "install"  # share of registers that refused, could not fetch, or returned
    CRASHES = "crashes"
    SILENCE = "silence"  # registers that said nothing within their timer, or not the truth
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
        waits: The part of the words that says what it waits for; empty where it waits for nothing.
    """

    kind: GateKind
    outcome: Outcome
    words: str
    value: float | None = None
    limit: float | None = None
    missing: int = 0
    waits: str = ""

    @property
    def measured(self) -> str:
        """The words without what it waits for; empty where nothing else is known."""
        return self.words.removesuffix(self.waits).removesuffix(", ")


@dataclass(frozen=True, slots=True)
class StageFigures:
    """What the registers of one stage reported of the release at one moment, summed up.

    Attributes:
        registers: That report a p99.
        typical_ms, slowest_ms: Median and maximum of their p99s; None where none reports one.
        confidence: Answers by the first flavour's probability, in ten equal steps.
        labels: Answers by the first flavour's index.
    """

    name: str
    registers: int = 0
    typical_ms: float | None = None
    slowest_ms: float | None = None
    recommendations: int = 0
    errors: int = 0
    confidence: tuple[int, ...] = ()
    labels: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """One widening: by share of the fleet, by number, or a named group; exactly one of the three.

    Attributes:
        share: 0 < share ≤ 1 of all registers that the plan covers, the first ⌈share·n⌉ by hash.
        count: The first so many by hash.
        group: Name of a group of registers.
        hold_s: The stage is watched for at least so long after its last register was told.
        approval: A person promotes; else the gates alone do.
    """

    name: str
    share: float | None = None
    count: int | None = None
    group: str | None = None
    hold_s: int = 600
    approval: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """A time of the week by the shop's own clock: for maintenance, or when it is open.

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
    crashes_per_register: int = 2  # since the release is in use there; so many make it a failed one
    latency_of_budget: float = 1.0  # p99 over the release's budget
    slow_share: float = 0.1  # of the registers with enough answers, that may be beyond it
    error_share: float = 0.01
    confidence_drift: float | None = 0.25  # population stability index; None: not asked
    label_drift: float | None = 0.25
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
        silent_after_s: A told register that is connected for so long without a report that knows the order,
            or whose attested model belies what it says, counts as failed.
        unfinished_after_s: So does one that knows the order, is connected for so long, and came to no end.
        unreached_after_s: A told register that never came online is left out after so long: it does not block
            the stage, and is never counted as a success. One that was there, and went, counts as failed.
        stores: Only these; () is the whole chain.
        shadow_first: The first stage's registers run the release beside their own model before they are told.
    """

    stages: tuple[Stage, ...]
    gates: Gates = field(default_factory=Gates)
    pace_per_minute: int = 60
    window: tuple[Window, ...] = ()
    outside_opening: bool = False
    silent_after_s: int = 900
    unfinished_after_s: int = 14_400
    unreached_after_s: int = 86_400
    stores: tuple[str, ...] = ()
    shadow_first: bool = False


@dataclass(frozen=True, slots=True)
class Rollout:
    """A release on its way; a row of `rollouts`.

    Attributes:
        digest: Of the release's network, hex.
        previous: The release that most of its registers ran when it began; for people.
        baseline: `confidence` and `labels`: shares before it began; empty where too few answers were known.
        stage_at_ms: When the present stage, or the return, began.
    """

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
    created_at_ms: int
    started_at_ms: int | None
    stage_at_ms: int | None
    ended_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One register of a rollout, as the database remembers it.

    Attributes:
        previous: The release that it ran before it was told; None: what it was installed with, or none.
        generation: Of the newest desired state that this rollout set for it.
        told_at_ms: When it was first told the release; None: it was never exposed.
        changed_at_ms: Since when it is in its state.
    """

    register: str
    store: str
    stage: int
    state: MemberState
    previous: int | None = None
    generation: int | None = None
    told_at_ms: int | None = None
    changed_at_ms: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one register now, from its newest verified report and its status.

    Attributes:
        active: Enrolled and not revoked.
        online: Whether it is connected; None: never heard of.
        since_ms: Since when it is, or is not, by our clock.
        heard_at_ms: When its newest report was received; None: never.
        generation: The newest desired state that it knows.
        running_digest: Attested: the digest of the network in its memory; None: none, or no report.
        running_release: The release of that digest; None: installed without one, or never listed.
        desired_release: What it was told last; `desired_digest` is its network's.
        recommendations, errors, crashes, p99_ms, confidence, labels: Of what runs, since it was put in use.
    """

    register: str
    active: bool = True
    online: bool | None = None
    since_ms: int | None = None
    heard_at_ms: int | None = None
    generation: int = 0
    running_digest: str | None = None
    running_release: int | None = None
    desired_release: int | None = None
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
    shadow_errors: int = 0
    shadow_p99_ms: float | None = None
    desired_digest: str | None = None


@dataclass(frozen=True, slots=True)
class StoreClock:
    """The time in a shop, and when it is open.

    Attributes:
        day: 0 (Monday) to 6.
        minute: Since midnight.
        opening: () where the hours are not known.
    """

    day: int
    minute: int
    opening: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """What the chain wants of every rollout.

    Attributes:
        approval: A second person approves before a rollout starts.
        frozen: Why nothing new is told; None: it is not frozen.
        stopped: Why every running rollout returns; None: no emergency.
    """

    approval: bool = False
    frozen: str | None = None
    stopped: str | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What decide knows beside the rollout itself.

    Attributes:
        may_run: Releases that are listed, not withdrawn and not below the floor.
        clocks: By store; a store that is missing has no known time zone.
        barred: Release that may not run any more -> why, as in "was withdrawn: wrong labels".
    """

    now_ms: int
    may_run: frozenset[int]
    policy: Policy = Policy()
    clocks: Mapping[str, StoreClock] = field(default_factory=dict)
    barred: Mapping[int, str] = field(default_factory=dict)


# ---- what decide answers ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tell:
    """Set this register's desired release; None: the model that it was installed with. Ends a shadow."""

    register: str
    release: int | None


@dataclass(frozen=True, slots=True)
class Shadow:
    """Let the release run beside what this register runs; its desired release stays."""

    register: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A member's new state.

    Attributes:
        previous: Set where the register is told: what it goes back to.
        told: The register is exposed from here on.
    """

    register: str
    state: MemberState
    reason: str | None = None
    previous: int | None = None
    told: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """The rollout's new state or stage, and why in plain words.

    Attributes:
        kind: For the timeline: `stage`, `done`, `failed`, `returned`.
        gates: As they spoke.
        figures: What the stages' registers reported at that moment; a later report replaces what a register
            said of the release, so that it is kept with the move.
    """

    state: State
    stage: int
    words: str
    kind: str
    gates: tuple[GateVerdict, ...] = ()
    figures: tuple[StageFigures, ...] = ()


Action = Tell | Shadow | Mark | Move
