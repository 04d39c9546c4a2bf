"""The pages of rollouts as values: lines of the list, and one rollout part by part. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cloud.console.views import rollout_words as words
from cloud.console.words import count
from cloud.rollout.values import GateVerdict, Member, MemberState, Outcome, State
from cloud.rollout.views import RolloutSummary, RolloutView, TimelineEntry

MEMBERS_PAGE: Final = 50
NOW: Final = ("now", "info")
PASSED: Final = ("passed", "good")
STOPPED: Final = ("stopped here", "bad")
_ORDER: Final = {
    State.RETURNING: 0,
    State.RUNNING: 1,
    State.PAUSED: 2,
    State.DRAFT: 3,
    State.DONE: 4,
    State.RETURNED: 4,
}
_MEMBER_ORDER: Final = (
    MemberState.FAILED,
    MemberState.RETURNING,
    MemberState.TOLD,
    MemberState.SHADOW,
    MemberState.GOOD,
    MemberState.RETURNED,
    MemberState.WAITING,
    MemberState.SKIPPED,
)
_TIMELINE: Final[Mapping[str, tuple[str, str]]] = {
    "planned": ("Planned", "quiet"),
    "approved": ("Approved", "good"),
    "started": ("Started", "info"),
    "promoted": ("Promoted", "info"),
    "paused": ("Paused", "warn"),
    "resumed": ("Resumed", "info"),
    "return": ("Return ordered", "bad"),
    "stage": ("Next stage", "good"),
    "told": ("Told", "info"),
    "joined": ("Joined late", "quiet"),
    "register-failed": ("A register failed", "warn"),
    "failed": ("Stopped by its gates", "bad"),
    "returned": ("Every register is back", "warn"),
    "done": ("Done", "good"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One rollout in the list."""

    key: str
    href: str
    title: str
    badge: tuple[str, str]
    words: str
    share: float
    bar: str
    by: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class StageBar:
    """One stage: how many of its registers run the release."""

    key: str
    name: str
    plan: str
    words: str
    share: float
    bar: str
    note: tuple[str, str] | None
    now: bool


@dataclass(frozen=True, slots=True)
class GateCard:
    """What one gate says."""

    key: str
    title: str
    words: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Attested:
    """What one register says of itself.

    Attributes:
        release: Of the attested digest; None: none, or one that was never listed.
        digest: None: no report, or no model.
    """

    release: int | None
    digest: str | None
    p99_ms: float | None
    heard_at_ms: int | None


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One register of a rollout."""

    register: str
    store: str
    stage: str
    badge: tuple[str, str]
    reason: str
    runs: str
    p99_ms: float | None
    changed_at_ms: int


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the timeline."""

    key: str
    at_ms: int
    title: str
    words: str
    kind: str
    actor: str


def lines(summaries: Sequence[RolloutSummary]) -> list[Line]:
    """Those that are open first, then the newest."""
    ordered = sorted(summaries, key=lambda one: (_ORDER[one.state], -one.created_at_ms))
    return [_line(one) for one in ordered]


def stage_bars(view: RolloutView) -> list[StageBar]:
    """Every stage, in its order; the present one says so."""
    rollout = view.rollout
    begun = rollout.started_at_ms is not None
    bars = []
    for index, (stage, plan) in enumerate(zip(view.stages, rollout.plan.stages, strict=True)):
        failed = stage.counts.get(MemberState.FAILED, 0) + stage.counts.get(MemberState.RETURNED, 0)
        now = rollout.state in {State.RUNNING, State.PAUSED} and index == rollout.stage
        said = words.progress(stage.counts)
        if not stage.registers:
            said = "adds no register" if begun else "registers are chosen at the start"
        elif words.over(rollout.state) and set(stage.counts) <= {MemberState.WAITING, MemberState.SKIPPED}:
            said = f"{count(stage.registers, 'register')} never told"
        bars.append(
            StageBar(
                str(index),
                stage.name,
                words.stage_words(plan),
                said,
                words.share_done(stage.counts),
                "bad" if failed else "good" if words.share_done(stage.counts) == 1 else "info",
                NOW if now else _note(view, index),
                now,
            )
        )
    return bars


def _note(view: RolloutView, index: int) -> tuple[str, str] | None:
    """What became of a stage that is not the present one."""
    rollout = view.rollout
    if index < rollout.stage or rollout.state is State.DONE or _was_done(view):
        return PASSED
    return STOPPED if words.over(rollout.state) and rollout.started_at_ms and index == rollout.stage else None


def _was_done(view: RolloutView) -> bool:
    """Whether it went through every stage, and was returned afterwards."""
    last = len(view.rollout.plan.stages) - 1
    return any(one.kind == "done" or (one.kind == "promoted" and one.stage == last) for one in view.timeline)


def gate_cards(verdicts: Sequence[GateVerdict], state: State) -> list[GateCard]:
    """What failed first, then what waits, then what passed; what a running one waits for stands above."""
    order = {Outcome.FAIL: 0, Outcome.NOT_ENOUGH: 1, Outcome.PASS: 2}
    said = state is State.RUNNING
    return [
        GateCard(one.kind, words.GATE_TITLES[one.kind], one.measured if said else one.words, one.outcome)
        for one in sorted(verdicts, key=lambda one: order[one.outcome])
    ]


def members_page(
    members: Sequence[Member], state: MemberState | None, page: int
) -> tuple[list[Member], int, int]:
    """The members of one page, what went wrong first; and how many there are, on how many pages.

    Args:
        members: All of them.
        state: Only these; None: all.
        page: From 1; beyond the last is the last.
    """
    chosen = [member for member in members if state is None or member.state is state]
    chosen.sort(key=lambda member: (_MEMBER_ORDER.index(member.state), member.stage, member.register))
    pages = max(1, -(-len(chosen) // MEMBERS_PAGE))
    start = (min(max(page, 1), pages) - 1) * MEMBERS_PAGE
    return chosen[start : start + MEMBERS_PAGE], len(chosen), pages


def member_rows(
    view: RolloutView, members: Sequence[Member], attested: Mapping[str, Attested]
) -> list[MemberRow]:
    """Their rows: what each is told, and what it attests."""
    stages = [stage.name for stage in view.rollout.plan.stages]
    return [
        MemberRow(
            member.register,
            member.store,
            stages[member.stage] if member.stage < len(stages) else "?",
            words.member_badge(member.state, view.rollout.state),
            words.member_reason(member.reason),
            _runs(attested.get(member.register)),
            said.p99_ms if (said := attested.get(member.register)) else None,
            member.changed_at_ms,
        )
        for member in members
    ]


def events(timeline: Sequence[TimelineEntry]) -> list[Event]:
    """The timeline as it is shown; an entry never changes, so its place from the end names it."""
    found = []
    for index, entry in enumerate(timeline):
        title, kind = _TIMELINE.get(entry.kind, (entry.kind.capitalize(), "quiet"))
        text = entry.words.removeprefix(f"{entry.kind}: ")
        found.append(Event(str(len(timeline) - index), entry.at_ms, title, text, kind, entry.actor))
    return found


def _runs(said: Attested | None) -> str:
    if said is None or said.heard_at_ms is None:
        return "never heard of"
    if said.digest is None:
        return "no model: best-sellers"
    return f"release {said.release}" if said.release is not None else f"unlisted {said.digest[:12]}"


def _line(one: RolloutSummary) -> Line:
    share = words.share_done(one.counts)
    said = words.progress(one.counts) if one.counts else "no register was told yet"
    if one.state in {State.RUNNING, State.PAUSED}:
        said = f"stage {one.stage + 1} of {len(one.stages)}, {one.stages[one.stage]}: {said}"
    if one.state in {State.RETURNING, State.RETURNED}:
        said = f"{words.returning(one.counts)}" + (f" - {one.reason}" if one.reason else "")
    bar = {State.DONE: "good", State.RETURNING: "bad", State.RETURNED: "bad", State.PAUSED: "warn"}
    return Line(
        one.rollout.hex(),
        f"/rollouts/{one.rollout.hex()}",
        f"Release {one.release}: {one.name} {one.version}",
        words.STATE_BADGES[one.state],
        said,
        share,
        bar.get(one.state, "info"),
        one.created_by,
        one.started_at_ms or one.created_at_ms,
    )
