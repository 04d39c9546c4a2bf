"""One register as its page shows it: facts in words, progress in steps, a timeline. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cloud.console.views.fleet import Attention, Presence
from cloud.console.views.rollout_words import NEVER_TOLD, over
from cloud.console.views.update_words import ModelFacts, model_verdict, reason_words
from cloud.console.words import count, day, duration, milliseconds, number, percent, size, when
from cloud.rollout.values import MemberState, State
from wire_protocol.fleet_messages import UpdateState

TIMELINE_MAX: Final = 40
_STEPS: Final = (
    (UpdateState.FETCHING, "Fetching"),
    (UpdateState.PREFLIGHT, "Tried out beside the till"),
    (UpdateState.TRIAL, "On trial"),
    (UpdateState.GOOD, "Passed"),
)
MEMBER_WORDS: Final[Mapping[MemberState, tuple[str, str]]] = {
    MemberState.WAITING: ("waits for its stage", "quiet"),
    MemberState.SHADOW: ("runs it as a shadow", "info"),
    MemberState.TOLD: ("was told", "info"),
    MemberState.GOOD: ("runs it, passed", "good"),
    MemberState.FAILED: ("failed", "bad"),
    MemberState.RETURNING: ("goes back", "warn"),
    MemberState.RETURNED: ("went back", "warn"),
    MemberState.SKIPPED: ("was left out", "quiet"),
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate of a register."""

    serial: str
    not_before_ms: int
    not_after_ms: int
    revoked_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Membership:
    """This register in one rollout."""

    rollout: bytes
    release: int
    rollout_state: State
    stage: int
    state: MemberState
    told_at_ms: int | None
    changed_at_ms: int
    reason: str | None

    @property
    def words(self) -> tuple[str, str]:
        """Where it is in it, in words and as a badge."""
        if self.state is MemberState.WAITING and over(self.rollout_state):
            return NEVER_TOLD
        return MEMBER_WORDS[self.state]


@dataclass(frozen=True, slots=True)
class RegisterFacts:
    """All that is known of a register.

    Attributes:
        report: Its newest verified report, as it came in; {} where none came.
        flavours: Names by index in the catalogue of the release that runs.
        refusals: (day, reason, count) of its refused messages, newest first.
    """

    register: str
    store: str
    state: str
    created_at_ms: int
    enrolled_at_ms: int | None
    revoked_at_ms: int | None
    presence: Presence
    attention: tuple[Attention, ...]
    received_at_ms: int | None
    online_since_ms: int | None
    running_release: int | None
    running_digest: str | None
    budget_p99_ms: float | None
    desired_known: bool
    desired_release: int | None
    desired_digest: str | None
    desired_at_ms: int | None
    desired_generation: int | None
    desired_rollout: bytes | None
    generation: int | None
    report: Mapping[str, Any]
    groups: tuple[str, ...]
    certificates: tuple[Certificate, ...]
    memberships: tuple[Membership, ...]
    refusals: tuple[tuple[str, str, int], ...]
    flavours: tuple[str, ...]

    @property
    def model(self) -> str:
        """What runs, attested."""
        if self.received_at_ms is None:
            return "Not known yet"
        if self.running_release is not None:
            return f"Release {self.running_release}"
        return "Best-sellers, no model" if self.running_digest is None else "A model of no listed release"

    @property
    def verdict(self) -> tuple[str, str]:
        """Whether that is what is desired: words and kind of badge."""
        update = self.report.get("update") or {}
        return model_verdict(
            ModelFacts(
                attested=self.received_at_ms is not None,
                running_digest=self.running_digest,
                desired_known=self.desired_known,
                desired_release=self.desired_release,
                desired_digest=self.desired_digest,
                update_release=update.get("release"),
                update_state=update.get("state"),
                update_reason=update.get("reason"),
            )
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an update; `state`: `done`, `now`, `failed`, `ahead`."""

    words: str
    state: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a register has come with a release.

    Attributes:
        share: Of its bytes, fetched; None where none are known.
        words: In one line.
    """

    release: int
    steps: tuple[Step, ...]
    share: float | None
    words: str
    kind: str
    at_ms: int


def progress(report: Mapping[str, Any]) -> Progress | None:
    """The newest attempt at a release; None where there was none."""
    update = report.get("update")
    if not update or update["state"] not in set(UpdateState) or update["state"] == UpdateState.IDLE:
        return None
    state = UpdateState(update["state"])
    fetched, total = update.get("fetched_bytes") or 0, update.get("total_bytes") or 0
    reached = {
        UpdateState.WAITING: 0 if not total or fetched < total else 1,
        UpdateState.REFUSED: 0 if not total or fetched < total else 1,
        UpdateState.BAD: 2,
    }
    at = next((index for index, (one, _) in enumerate(_STEPS) if one is state), reached.get(state, 0))
    failed = state in {UpdateState.REFUSED, UpdateState.BAD}
    now = "failed" if failed else "done" if state is UpdateState.GOOD else "now"
    steps = tuple(
        Step(words, "done" if index < at else now if index == at else "ahead")
        for index, (_, words) in enumerate(_STEPS)
    )
    why = reason_words(update.get("reason"))
    said = {
        UpdateState.FETCHING: f"{size(fetched)} of {size(total)} fetched" if total else "asks for it",
        UpdateState.PREFLIGHT: "is tried out in a process of its own, on the golden frames",
        UpdateState.TRIAL: "runs; it can still be returned from",
        UpdateState.GOOD: "runs and passed its trial",
        UpdateState.BAD: "ran and was returned from",
        UpdateState.REFUSED: "never ran",
        UpdateState.WAITING: "waits and tries again by itself",
    }[state]
    words = said + (f": {why}" if why else "") + (f" ({update['words']})" if update.get("words") else "")
    kind = "bad" if failed else {UpdateState.GOOD: "good", UpdateState.WAITING: "warn"}.get(state, "info")
    return Progress(
        update["release"], steps, min(fetched / total, 1.0) if total else None, words, kind, update["at"]
    )


def health_tiles(facts: RegisterFacts) -> list[tuple[str, str, str, str]]:
    """(words, figure, detail, kind) of what the model does; [] where nothing was reported."""
    health = facts.report.get("health")
    if not health:
        return []
    given, failed, p99 = health["recommendations"], health["errors"], health["p99_ms"]
    budget = facts.budget_p99_ms
    slow = budget is not None and p99 > budget
    share = failed / given if given else None
    return [
        ("p50", milliseconds(health["p50_ms"]), "half of all answers are quicker", "quiet"),
        (
            "p99",
            milliseconds(p99),
            f"of {milliseconds(budget)} allowed" if budget else "no budget known",
            "bad" if slow else "good" if budget else "quiet",
        ),
        ("Recommendations", number(given), f"{number(health['nobody'])} times nobody stood there", "quiet"),
        (
            "Failed",
            number(failed),
            percent(share) if given else "none given yet",
            "bad" if failed else "good",
        ),
        (
            "Crashes",
            number(health["crashes"]),
            "starts without an orderly end before",
            "bad" if health["crashes"] else "good",
        ),
    ]


def shadow_facts(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a release says that runs beside the other; [] where none does."""
    shadow = report.get("shadow")
    if not shadow:
        return []
    compared = shadow["compared"]

    def share(part: int) -> str:
        return percent(part / compared) if compared else "nothing compared yet"

    return [
        ("Release", str(shadow["release"])),
        ("Compared", count(compared, "picture")),
        ("Same first flavour", share(shadow["same_first"])),
        ("Same three flavours", share(shadow["same_three"])),
        ("p99", milliseconds(shadow["p99_ms"])),
        ("Failed", number(shadow["errors"])),
    ]


def reported_facts(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Everything else in the report."""
    if not report:
        return []
    return [
        ("Agent", str(report["agent_version"])),
        ("Running for", duration(report["uptime_s"])),
        ("Camera", str(report.get("camera") or "not told")),
        ("Its clock said", when(report["at"])),
        ("Consent blanks left", number(report["blanks_left"])),
        (
            "Unsent",
            f"{count(report['spooled_messages'], 'message')}, {size(report['spooled_bytes'])}",
        ),
        ("Desired state known", f"generation {report.get('generation') or 0}"),
    ]


def metadata_facts(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Which signed metadata the register holds."""
    seen = report.get("metadata")
    if not seen:
        return []
    versions = ", ".join(f"{name} {seen[name]}" for name in ("root", "timestamp", "snapshot", "targets"))
    floor = seen.get("floor") or 0
    return [
        ("Versions", versions),
        ("Expires", when(seen["expires_at"])),
        ("Lowest release it may run", str(floor) if floor else "never signed"),
    ]


Entry = tuple[int, str, str, str, str]
"""(at_ms, title, text, kind, actor), as the timeline shows it."""


def timeline(facts: RegisterFacts) -> list[Entry]:
    """What happened to the register, newest first."""
    entries: list[Entry] = [(facts.created_at_ms, "Invited", f"Store {facts.store}", "quiet", "")]
    if facts.enrolled_at_ms is not None:
        entries.append((facts.enrolled_at_ms, "Enrolled", "Its keys are known", "good", ""))
    if facts.revoked_at_ms is not None:
        entries.append((facts.revoked_at_ms, "Revoked", "It may not connect any more", "bad", ""))
    entries += [
        (one.not_before_ms, "Certificate", f"Valid until {day(one.not_after_ms)}", "quiet", "")
        for one in facts.certificates
    ]
    for member in facts.memberships:
        words, kind = member.words
        if member.told_at_ms is not None and member.state is not MemberState.TOLD:
            told = f"Told to run release {member.release}"
            entries.append((member.told_at_ms, told, f"Stage {member.stage + 1}", "info", ""))
        title = f"Release {member.release}: {words}"
        entries.append((member.changed_at_ms, title, member.reason or "", kind, ""))
    found = progress(facts.report)
    if found is not None:
        entries.append((found.at_ms, f"Update to release {found.release}", found.words, found.kind, ""))
    return sorted(entries, key=lambda entry: -entry[0])[:TIMELINE_MAX]


def named_labels(labels: Sequence[int], flavours: Sequence[str]) -> list[tuple[str, int]]:
    """How often each flavour came first, by its name, the most frequent first."""
    named = [
        (flavours[index] if index < len(flavours) else f"flavour {index + 1}", given)
        for index, given in enumerate(labels)
    ]
    return sorted(named, key=lambda one: (-one[1], one[0]))
