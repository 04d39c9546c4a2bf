"""Two releases on their way through a chain: what the page shows of them, and what a check asserts. Pure.

Told by what `topscoop rollout status --json` prints, and by what each register's agent says it runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from simulator.demo.backend.next_releases import AS_GOOD, FIRST, WORSE

_EXPOSED: Final = frozenset({"told", "good", "failed", "returning", "returned"})
_STAGES: Final = 3


class Act(StrEnum):
    """How far one release has come."""

    SOON = "soon"
    PUBLISHED = "published"
    RUNNING = "running"
    PAUSED = "paused"
    RETURNING = "returning"
    DONE = "done"
    RETURNED = "returned"


ENDED: Final = frozenset({Act.DONE, Act.RETURNED})


@dataclass(frozen=True, slots=True)
class Gate:
    """What a gate said last."""

    kind: str
    outcome: str
    words: str


@dataclass(frozen=True, slots=True)
class StageSeen:
    """A stage's registers by state."""

    name: str
    registers: int
    counts: Mapping[str, int]


@dataclass(slots=True)
class Passage:
    """One release's rollout."""

    release: int
    act: Act = Act.SOON
    rollout: str = ""
    stage: int = 0
    stages: tuple[StageSeen, ...] = ()
    gates: tuple[Gate, ...] = ()
    waiting: tuple[str, ...] = ()
    members: Mapping[str, str] = field(default_factory=dict)
    """Each register's state now."""
    exposed: set[str] = field(default_factory=set)
    """Registers that were ever told."""
    seconds: float | None = None
    """From its start to its end."""

    def saw(self, status: Mapping[str, Any]) -> None:
        """The rollout as `topscoop rollout status --json` prints it."""
        self.rollout = status["rollout"]
        self.act = Act(status["state"]) if status["state"] != "draft" else Act.PUBLISHED
        self.stage = status["stage"]
        self.stages = tuple(
            StageSeen(stage["name"], stage["registers"], stage["counts"]) for stage in status["stages"]
        )
        self.gates = tuple(Gate(gate["kind"], gate["outcome"], gate["words"]) for gate in status["gates"])
        self.waiting = tuple(status["waiting"])
        self.members = {member["register"]: member["state"] for member in status["members"]}
        self.exposed |= {register for register, state in self.members.items() if state in _EXPOSED}
        if status["ended_at_ms"] is not None and status["started_at_ms"] is not None:
            self.seconds = round((status["ended_at_ms"] - status["started_at_ms"]) / 1000, 1)

    @property
    def failed(self) -> tuple[Gate, ...]:
        """The gates that stopped it."""
        return tuple(gate for gate in self.gates if gate.outcome == "fail")

    @property
    def returned(self) -> list[str]:
        """Registers that attest another model again."""
        return sorted(register for register, state in self.members.items() if state == "returned")

    @property
    def stage_name(self) -> str:
        """Of the present stage."""
        return self.stages[self.stage].name if self.stage < len(self.stages) else ""


@dataclass(slots=True)
class ReleaseStory:
    """Everything that is known of the chain's releases.

    Args:
        tenant: The chain.
        chain: Its name for people.
        shops: Names for people, by register.
        console: Address of the console.
    """

    tenant: str
    chain: str
    shops: Mapping[str, str]
    console: str
    console_ready: bool = False
    published: list[int] = field(default_factory=list)
    good: Passage = field(default_factory=lambda: Passage(AS_GOOD))
    worse: Passage = field(default_factory=lambda: Passage(WORSE))
    runs: dict[str, int] = field(default_factory=dict)
    """The release that each register's agent has in memory now, as it says itself."""
    ran: dict[str, set[int]] = field(default_factory=dict)
    """All that were seen there."""

    def running(self, register: str, version: str) -> None:
        """A register's agent says which version of the model it has in memory."""
        release = release_of(version)
        self.runs[register] = release
        self.ran.setdefault(register, set()).add(release)


def release_of(version: str) -> int:
    """The release that a manifest's version belongs to; the bundled model is the first."""
    _, found, number = version.partition("+demo.")
    return int(number) if found and number.isdigit() else FIRST


def release_view(story: ReleaseStory) -> Mapping[str, Any]:
    """What the page needs, all of it."""
    return {
        "tenant": story.tenant,
        "chain": story.chain,
        "console": {"url": story.console, "ready": story.console_ready},
        "passages": [_passage_view(story, passage) for passage in (story.good, story.worse)],
        "registers": [
            {"shop": shop, "release": story.runs.get(register, FIRST)}
            for register, shop in story.shops.items()
        ],
    }


def _passage_view(story: ReleaseStory, passage: Passage) -> Mapping[str, Any]:
    return {
        "release": passage.release,
        "act": passage.act,
        "stage": passage.stage,
        "stage_name": passage.stage_name,
        "stages": [
            {
                "name": stage.name,
                "registers": stage.registers,
                "good": stage.counts.get("good", 0),
                "returned": stage.counts.get("returned", 0),
            }
            for stage in passage.stages
        ],
        "gates": [
            {"kind": gate.kind, "outcome": gate.outcome, "words": gate.words} for gate in passage.gates
        ],
        "waiting": list(passage.waiting),
        "exposed": [story.shops.get(register, register) for register in sorted(passage.exposed)],
        "never": [
            story.shops.get(register, register) for register in sorted(set(passage.members) - passage.exposed)
        ],
        "registers": len(passage.members),
        "seconds": passage.seconds,
    }


def release_summary(story: ReleaseStory) -> Mapping[str, Any]:
    """The releases' part of the demo's result."""
    good, worse = story.good, story.worse
    stopped_by = worse.failed
    return {
        "published": list(story.published),
        "rolled_out": {
            "release": good.release,
            "stages": len(good.stages) if good.act is Act.DONE else good.stage,
            "seconds": good.seconds,
            "registers": sum(state == "good" for state in good.members.values()),
        },
        "stopped": {
            "release": worse.release,
            "stage": worse.stage_name if worse.failed else None,
            "gate": stopped_by[0].kind if stopped_by else None,
            "words": "; ".join(gate.words for gate in stopped_by) or None,
            "exposed": sorted(worse.exposed),
            "returned": worse.returned,
            "never_exposed": sorted(set(worse.members) - worse.exposed),
        },
        "problems": list(release_shortfalls(story)),
    }


def release_shortfalls(story: ReleaseStory) -> Sequence[str]:
    """What a check misses of the releases, in words."""
    return [*_missed_of_good(story), *_missed_of_worse(story)]


def _how(passage: Passage) -> str:
    """Where it is, and what it waits for."""
    states = ", ".join(f"{register} {state}" for register, state in sorted(passage.members.items()))
    return "; ".join([passage.act, *([states] if states else []), *passage.waiting])


def _missed_of_good(story: ReleaseStory) -> list[str]:
    good, found = story.good, []
    if story.published != [FIRST, AS_GOOD, WORSE]:
        found.append(f"releases 1, 2 and 3 were to be published, not {story.published}")
    if good.act is not Act.DONE:
        found.append(f"release {good.release} did not reach every register ({_how(good)})")
    elif len(good.stages) != _STAGES:
        found.append(f"release {good.release} went through {len(good.stages)} stages, not {_STAGES}")
    elif set(good.members) != set(story.shops) or set(good.members.values()) != {"good"}:
        found.append(f"not every register of the chain attests release {good.release}: {good.members}")
    return found


def _missed_of_worse(story: ReleaseStory) -> list[str]:
    worse, found = story.worse, []
    if worse.act is not Act.RETURNED:
        found.append(f"release {worse.release} was not stopped and returned ({_how(worse)})")
        return found
    if worse.stage != 0 or not {"labels", "confidence"} & {gate.kind for gate in worse.failed}:
        said = "; ".join(gate.words for gate in worse.failed) or "nothing"
        found.append(f"release {worse.release} was to be stopped by drift in its first stage, not by: {said}")
    if not worse.exposed or set(worse.returned) != worse.exposed:
        found.append(f"exposed to release {worse.release}: {sorted(worse.exposed)}; back: {worse.returned}")
    for register in story.shops:
        seen = story.ran.get(register, set())
        if worse.release in seen and register not in worse.exposed:
            found.append(f"{register} ran release {worse.release} and was never told to")
        if story.runs.get(register) != story.good.release:
            found.append(
                f"{register} runs release {story.runs.get(register)} at the end, not {story.good.release}"
            )
    return found
