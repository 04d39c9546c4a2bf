"""What the public API has done so far, and who said yes on a phone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

from prometheus_client.parser import text_string_to_metric_families

from simulator.demo.live_state import quantiles_view
from simulator.demo.scoreboard import Latencies

_FROM: Final = frozenset({"model", "bestsellers"})
"""Ends of an upload that are answers; every other end says why there is none."""
_ERASED: Final = frozenset({"person.erased", "upload.erased"})


@dataclass(frozen=True, slots=True)
class UploadCounts:
    """Uploads of everybody, as the services count them."""

    arrived: int = 0
    answered: int = 0
    failed: int = 0
    kept: int = 0

    @property
    def open(self) -> int:
        """Those that have neither answer nor failure yet."""
        return self.arrived - self.answered - self.failed

    @classmethod
    def of_metrics(cls, text: str) -> Self:
        """From `/metrics` of API, intake and recommender together."""
        counts = {one.name: 0 for one in fields(cls)}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if (name := _counted(sample.name, sample.labels)) is not None:
                    counts[name] += round(sample.value)
        return cls(**counts)


def _counted(name: str, labels: Mapping[str, str]) -> str | None:
    match name:
        case "topscoop_api_arrivals_total" if labels["outcome"] == "accepted":
            return "arrived"
        case "topscoop_intake_arrivals_total" if labels["result"] == "accepted":
            return "arrived"
        case "topscoop_recommender_ended_total":
            return "answered" if labels["end"] in _FROM else "failed"
        case "topscoop_recommender_promoted_total":
            return "kept"
    return None


@dataclass(slots=True)
class Handovers:
    """Codes of registers that were scanned."""

    scanned: int = 0
    yes: int = 0
    kept: int = 0
    over: int = 0
    """Said yes, and the register could not hear it in time."""

    @property
    def open(self) -> int:
        """Those that were answered and have no end yet."""
        return self.yes - self.kept - self.over


@dataclass(slots=True)
class PhoneStory:
    """Everything that the page shows of the public API.

    Attributes:
        pages: Each chain's page for phones, by the chain's name.
    """

    pages: Mapping[str, str]
    ready: bool = False
    uploads: UploadCounts = field(default_factory=UploadCounts)
    erased: int = 0
    consents_erased: int = 0
    """Consents that were ended with them."""
    proven: int = 0
    """Persons whose erasure has come to its end, by the proof that they hold."""
    handovers: Handovers = field(default_factory=Handovers)
    answer: Latencies = field(default_factory=Latencies)
    """Milliseconds from the end of an upload to its answer, as customers measure them."""

    def record(self, record: Mapping[str, Any]) -> None:
        """A line of the services' log."""
        if record.get("event") in _ERASED:
            self.erased += record["uploads"]
            self.consents_erased += record["consents"]

    @property
    def complete(self) -> bool:
        """Whether everything has happened at least once."""
        return bool(self.uploads.answered and self.uploads.kept and self.proven and self.handovers.kept)

    @property
    def resting(self) -> bool:
        """Whether nothing is under way."""
        return not self.uploads.open and not self.handovers.open


def phones_view(story: PhoneStory) -> Mapping[str, Any]:
    """What the page needs."""
    return {
        "ready": story.ready,
        "pages": [{"chain": chain, "url": url} for chain, url in story.pages.items()],
        **phones_summary(story),
    }


def phones_summary(story: PhoneStory) -> Mapping[str, Any]:
    """The public API's part of the demo's result."""
    uploads, handovers = story.uploads, story.handovers
    return {
        "uploads": uploads.arrived,
        "answered": uploads.answered,
        "failed": uploads.failed,
        "kept": uploads.kept,
        "erased": story.erased,
        "answer_ms": quantiles_view(story.answer.quantiles),
        "handovers": {
            "scanned": handovers.scanned,
            "yes": handovers.yes,
            "kept": handovers.kept,
            "over": handovers.over,
        },
    }


def phones_shortfalls(story: PhoneStory) -> Sequence[str]:
    """What a check misses of it, in words."""
    return list(_shortfalls(story))


def _shortfalls(story: PhoneStory) -> Iterable[str]:
    uploads, handovers = story.uploads, story.handovers
    if uploads.open:
        yield f"{uploads.open} of {uploads.arrived} uploads got neither answer nor failure"
    if not uploads.answered:
        yield "no upload was answered"
    if not uploads.kept:
        yield "no uploaded picture was kept"
    if not (story.proven and story.erased):
        yield "nobody's uploads were erased"
    if handovers.open:
        yield f"{handovers.open} of {handovers.yes} hand-overs have no end"
    if not handovers.kept:
        yield "no hand-over reached its register"
