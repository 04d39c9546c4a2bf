"""What the pages say of a rollout, in plain words, and which buttons they offer. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cloud.console.words import count, duration, percent
from cloud.principal import Role
from cloud.rollout.values import (
    Failure,
    GateKind,
    GateVerdict,
    MemberState,
    Outcome,
    Plan,
    Policy,
    Stage,
    State,
)
from cloud.rollout.words import part_of

GATE_TITLES: Final[Mapping[GateKind, str]] = {
    GateKind.BUDGET: "Failed registers",
    GateKind.INSTALL: "Installing",
    GateKind.CRASHES: "Crashes",
    GateKind.SILENCE: "Silence",
    GateKind.LATENCY: "Latency",
    GateKind.ERRORS: "Errors",
    GateKind.CONFIDENCE: "Confidence",
    GateKind.LABELS: "Flavours",
    GateKind.SHADOW: "Shadow",
    GateKind.SALES: "Sales",
}
STATE_BADGES: Final[Mapping[State, tuple[str, str]]] = {
    State.DRAFT: ("planned", "quiet"),
    State.RUNNING: ("running", "info"),
    State.PAUSED: ("paused", "warn"),
    State.RETURNING: ("returning", "bad"),
    State.RETURNED: ("returned", "bad"),
    State.DONE: ("done", "good"),
}
MEMBER_BADGES: Final[Mapping[MemberState, tuple[str, str]]] = {
    MemberState.WAITING: ("waiting", "quiet"),
    MemberState.SHADOW: ("in shadow", "info"),
    MemberState.TOLD: ("told", "info"),
    MemberState.GOOD: ("good", "good"),
    MemberState.FAILED: ("failed", "bad"),
    MemberState.RETURNING: ("returning", "warn"),
    MemberState.RETURNED: ("returned", "warn"),
    MemberState.SKIPPED: ("left out", "quiet"),
}
_OVER: Final = frozenset({State.RETURNING, State.RETURNED})
"""Nobody is told any more; one that is done still tells registers that come later."""
NEVER_TOLD: Final = ("never told", "quiet")
_FAILURES: Final[Mapping[str, str]] = {
    Failure.REFUSED: "refused it",
    Failure.CRASHED: "crashed",
    Failure.RETURNED: "went back by itself",
    Failure.SILENT: "silent",
    Failure.UNFINISHED: "came to no end",
    Failure.LYING: "runs another model than it says",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A button that asks for a reason first; its form goes to `…/<action>`."""

    action: str
    words: str
    question: str
    button: str
    icon: str
    danger: bool = False


@dataclass(frozen=True, slots=True)
class Headline:
    """The state of a rollout as one would say it."""

    words: str
    kind: str  # as a badge's


def headline(  # noqa: PLR0911 - one sentence a state
    *,
    state: State,
    stage: int,
    plan: Plan,
    counts: Mapping[MemberState, int],
    verdicts: Sequence[GateVerdict],
    waiting: Sequence[str],
    reason: str | None,
    approved: bool,
    policy: Policy,
) -> Headline:
    """Where it is, and what it waits for: said here, once, and nowhere else on its page."""
    name = plan.stages[min(stage, len(plan.stages) - 1)].name
    where = f"stage {stage + 1} of {len(plan.stages)}, {name}"
    if state is State.DRAFT:
        if policy.approval and not approved:
            return Headline("Planned; waits for a second person to approve.", "warn")
        return Headline("Planned; nothing was told to any register yet.", "quiet")
    if state is State.DONE:
        return Headline(f"Done: {progress(counts)}.", "good")
    if state is State.RETURNED:
        return Headline(f"Returned: every register that had it is back. {_sentence(reason)}".strip(), "bad")
    if state is State.RETURNING:
        return Headline(f"Going back: {returning(counts)}. {_sentence(reason)}".strip(), "bad")
    if state is State.PAUSED:
        return Headline(f"Paused in {where}. {_sentence(reason)}".strip(), "warn")
    said = waiting_words(verdicts, waiting)
    if policy.frozen is not None:
        return Headline(f"Held in {where}: {progress(counts)}. {said}".strip(), "warn")
    return Headline(f"Running {where}: {progress(counts)}. {said}".strip(), "info")


def waiting_words(verdicts: Sequence[GateVerdict], waiting: Sequence[str]) -> str:
    """What the present stage waits for, a sentence each; what failed comes before anything that waits."""
    failed = [GATE_TITLES[one.kind].lower() for one in verdicts if one.outcome is Outcome.FAIL]
    if failed:
        return f"Failed: {', '.join(failed)}."
    if waiting:
        return " ".join(_sentence(one) for one in waiting)
    return "All gates passed." if verdicts else ""


def gate_line(verdicts: Sequence[GateVerdict]) -> str:
    """`p99 3.1 of 10 ms ✓ · labels drift 0.1 of 0.25 ✓`: what the gates measured, on one line."""
    marks = {Outcome.PASS: " ✓", Outcome.FAIL: " ✗", Outcome.NOT_ENOUGH: ""}
    said = [f"{one.measured}{marks[one.outcome]}" for one in verdicts if one.measured]
    return " · ".join(dict.fromkeys(said))


def progress(counts: Mapping[MemberState, int]) -> str:
    """`14 of 38 registers run it, 2 failed`; those that were left out are not counted."""
    whole = sum(number for state, number in counts.items() if state is not MemberState.SKIPPED)
    words = part_of(counts.get(MemberState.GOOD, 0), whole, "register", "runs it", "run it")
    for state, said in (
        (MemberState.TOLD, "on the way"),
        (MemberState.SHADOW, "in shadow"),
        (MemberState.FAILED, "failed"),
        (MemberState.RETURNING, "going back"),
        (MemberState.RETURNED, "went back"),
    ):
        if counts.get(state):
            words += f", {counts[state]:,} {said}"
    return words


def returning(counts: Mapping[MemberState, int]) -> str:
    """`9 of 12 registers are back`."""
    back, still = counts.get(MemberState.RETURNED, 0), counts.get(MemberState.RETURNING, 0)
    return part_of(back, back + still, "register", "is back", "are back")


def over(state: State) -> bool:
    """Whether a register that was not told yet never will be."""
    return state in _OVER


def member_badge(member: MemberState, rollout: State) -> tuple[str, str]:
    """A member's state in words and as a badge, by what may still become of it."""
    return NEVER_TOLD if member is MemberState.WAITING and over(rollout) else MEMBER_BADGES[member]


def share_done(counts: Mapping[MemberState, int]) -> float:
    """The share of registers that run the release, 0 to 1."""
    whole = sum(number for state, number in counts.items() if state is not MemberState.SKIPPED)
    return counts.get(MemberState.GOOD, 0) / whole if whole else 0.0


def stage_words(stage: Stage) -> str:
    """`10 % of the registers`, `1 register`, `group pilots`; how long it is watched, and who promotes."""
    size = (
        f"group {stage.group}"
        if stage.group is not None
        else count(stage.count, "register")
        if stage.count is not None
        else f"{percent(stage.share, 0 if (stage.share or 0) * 100 % 1 == 0 else 1)} of the registers"
    )
    promoted = "a person promotes" if stage.approval else "the gates promote"
    return f"{size}, watched for {duration(stage.hold_s)} at least; {promoted}"


def plan_words(plan: Plan) -> list[str]:
    """The rest of a plan: pace, windows, limits; a sentence each."""
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    words = [f"At most {count(plan.pace_per_minute, 'register')} a minute."]
    words += [
        "Only "
        + ("daily" if len(window.days) == len(days) else ", ".join(days[day] for day in window.days))
        + f" from {_clock(window.start)} to {_clock(window.end)}, by each shop's own clock."
        for window in plan.window
    ]
    if plan.outside_opening:
        words.append("Only while the shop is closed, where its hours are known.")
    if plan.stores:
        words.append(
            f"Only {count(len(plan.stores), 'store')}: {', '.join(plan.stores[:10])}"
            + (" and others." if len(plan.stores) > 10 else ".")
        )
    if plan.shadow_first:
        words.append("The first stage runs it in shadow first: beside today's model, shown to nobody.")
    gates = plan.gates
    fails = f"{percent(gates.failed_share, 0)} of the told registers fail"
    answers = count(gates.minimum_recommendations, "answer")
    words += [
        f"Goes back when more than {fails} ({count(gates.failed_minimum, 'register')} at least).",
        f"Judges latency, errors and drift after {answers} of {count(gates.minimum_registers, 'register')}.",
        f"A register that says nothing for {duration(plan.silent_after_s)} while connected counts as failed.",
    ]
    return words


def member_reason(reason: str | None) -> str:
    """A member's reason for people: `silent: no report` says which way it failed, then what is known."""
    kind, colon, rest = (reason or "").partition(":")
    said = _FAILURES.get(kind.strip())
    if said is None:
        return reason or ""
    return f"{said}: {rest.strip()}" if colon and rest.strip() else said


def offers(
    *, state: State, role: Role, may_approve: bool, approved: bool, policy: Policy, last_stage: bool
) -> list[Offer]:
    """The buttons that this person may press now; the rules are the desk's, and asked again there.

    Args:
        state: The rollout's.
        role: The person's.
        may_approve: Whether somebody else planned it.
        approved: Whether a second person has approved it.
        policy: The chain's.
        last_stage: Whether the present stage is the last one.
    """
    if not role.includes(Role.OPERATOR):
        return []
    if state is State.DRAFT:
        if policy.approval and not approved:
            return [APPROVE, GIVE_UP] if may_approve else [GIVE_UP]
        return [START, GIVE_UP]
    if state is State.RUNNING:
        return [PROMOTE_LAST if last_stage else PROMOTE, PAUSE, RETURN]
    if state is State.PAUSED:
        return [RESUME, RETURN]
    return [RETURN] if state is State.DONE else []


START: Final = Offer(
    "start", "Start", "The registers of the first stage are told to take this release.", "Start it", "play"
)
APPROVE: Final = Offer(
    "approve", "Approve", "As the second person you say that this rollout may start.", "Approve it", "good"
)
GIVE_UP: Final = Offer(
    "return",
    "Give up",
    "Nothing was told to any register; the plan stays here to be read.",
    "Give it up",
    "bad",
)
PROMOTE: Final = Offer(
    "promote",
    "Promote",
    "The next stage begins at once, whatever the gates still wait for.",
    "Begin the next stage",
    "next",
)
PROMOTE_LAST: Final = Offer(
    "promote", "Finish", "This is the last stage: the rollout is called done.", "Call it done", "next"
)
PAUSE: Final = Offer(
    "pause", "Pause", "No further register is told. Those that were told go on.", "Pause it", "pause"
)
RESUME: Final = Offer("resume", "Resume", "It goes on where it was paused.", "Resume it", "play")
RETURN: Final = Offer(
    "return",
    "Return",
    "Every register that was told goes back to the release that it ran before. This cannot be undone; the"
    " release can be rolled out again.",
    "Return every register",
    "back",
    danger=True,
)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _sentence(words: str | None) -> str:
    if not words:
        return ""
    first = words[:1] if words[1:2].isdigit() else words[:1].upper()  # p99 stays p99
    return first + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")
