"""Releases and the chain's signed repository as their pages show them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cloud.console.views.attention import METADATA_WARN_MS
from cloud.console.words import ago, milliseconds, number, percent, size, when

CHECK_LATE_MS: Final = 15 * 60_000
"""The repository is looked at every half minute; a quarter of an hour without a look is told."""


@dataclass(frozen=True, slots=True)
class Repository:
    """What is known of the chain's signed repository."""

    trusted_at_ms: int
    checked_at_ms: int | None
    problem: str | None
    root_version: int | None
    targets_version: int | None
    expires_at_ms: int | None
    minimum_release: int | None
    champion: int | None
    candidate: int | None


@dataclass(frozen=True, slots=True)
class Release:
    """A signed release.

    Attributes:
        manifest: As it was signed.
        report: The summary that was signed; {} where there is none.
        running: Registers that attest its digest.
        desired: Registers that shall run it.
    """

    release: int
    name: str
    version: str
    digest: str
    target: str
    bytes: int
    budget_p99_ms: float
    minimum_agent: str
    manifest: Mapping[str, Any]
    report: Mapping[str, Any]
    listed_at_ms: int
    withdrawn_at_ms: int | None
    withdrawn_reason: str | None
    running: int
    desired: int


@dataclass(frozen=True, slots=True)
class Course:
    """A rollout of a release, in one line."""

    rollout: bytes
    state: str
    created_by: str
    created_at_ms: int
    ended_at_ms: int | None
    reason: str | None


def standing(release: Release, repository: Repository | None) -> list[tuple[str, str]]:
    """What the chain's signed policy says of a release: badges as (words, kind)."""
    if release.withdrawn_at_ms is not None:
        return [("withdrawn", "bad")]
    found: list[tuple[str, str]] = []
    if repository is not None:
        if repository.champion == release.release:
            found.append(("champion", "good"))
        if repository.candidate == release.release:
            found.append(("candidate", "info"))
        if (repository.minimum_release or 0) > release.release:
            found.append(("below the minimum", "warn"))
    return found or [("listed", "quiet")]


def may_roll_out(release: Release, repository: Repository | None) -> bool:
    """Whether a rollout of it could be planned."""
    floor = 0 if repository is None else repository.minimum_release or 0
    return release.withdrawn_at_ms is None and release.release >= floor


def repository_words(repository: Repository, now_ms: int) -> tuple[str, str, str]:
    """How the repository is: (title, what it means and what to do, kind)."""
    if repository.problem:
        return (
            "The signed releases cannot be read",
            f"{repository.problem} Registers go on with what they run; nothing new is listed until then.",
            "bad",
        )
    if repository.checked_at_ms is None:
        return (
            "Not looked at yet",
            "The rollout service looks at it every half minute; is it running?",
            "warn",
        )
    expires = repository.expires_at_ms
    if expires is not None and expires <= now_ms:
        return (
            f"The signed metadata expired {ago(expires, now_ms)}",
            "Registers go on with what they run and take no new release. Renew it: topscoop model renew.",
            "bad",
        )
    if expires is not None and expires - now_ms < METADATA_WARN_MS:
        return (
            f"The signed metadata expires {ago(expires, now_ms)}",
            "It is renewed every day where the renewal runs. Look at it: topscoop model renew.",
            "warn",
        )
    if now_ms - repository.checked_at_ms > CHECK_LATE_MS:
        return (
            f"Last looked at {ago(repository.checked_at_ms, now_ms)}",
            "The rollout service looks at it every half minute; is it running?",
            "warn",
        )
    return ("Signed, verified and up to date", f"The first of its metadata expires {when(expires)}.", "good")


def repository_facts(repository: Repository, now_ms: int) -> list[tuple[str, str]]:
    """What is known of the repository."""
    return [
        ("Looked at", ago(repository.checked_at_ms, now_ms)),
        ("Expires", when(repository.expires_at_ms)),
        ("Versions", f"root {repository.root_version or '–'}, targets {repository.targets_version or '–'}"),  # noqa: RUF001
        ("Lowest release that may run", str(repository.minimum_release or "none set")),
        ("Champion", _release(repository.champion)),
        ("Candidate", _release(repository.candidate)),
        ("Trusted since", when(repository.trusted_at_ms)),
    ]


def quality(release: Release) -> list[tuple[str, str, str, str]]:
    """(words, figure, detail, kind) of what the release gate was shown; [] where no report was signed."""
    report = release.report
    if not report:
        return []
    hit, best, blind = report["hit_at_3"], report["best_sellers"], report["context_only"]
    ahead = hit - max(best, blind)
    return [
        (
            "hit@3",
            percent(hit),
            f"{ahead * 100:+.1f} points ahead of the better baseline",
            "good" if ahead > 0 else "bad",
        ),
        ("Best-sellers", percent(best), "always the same three", "quiet"),
        ("Without a picture", percent(blind), "hour, weather, shop alone", "quiet"),
        (
            "Calibration error",
            percent(report["calibration_error"]),
            "promised against happened",
            "good" if report["calibration_error"] < 0.03 else "warn",
        ),
        (
            "p99",
            milliseconds(report["p99_ms"]),
            f"of {milliseconds(release.budget_p99_ms)} allowed; on the machine that evaluated",
            "good" if report["p99_ms"] <= release.budget_p99_ms else "bad",
        ),
        ("Size", size(release.bytes), f"int8 costs {report['int8_loss_points']:.2f} points", "quiet"),
    ]


def fairness(report: Mapping[str, Any]) -> list[tuple[str, float]]:
    """How often the three flavours stay the same when what must not matter changes; the mean last."""
    unchanged = report.get("unchanged") or {}
    named = sorted(
        (name.replace("_", " "), float(share)) for name, share in unchanged.items() if name != "all"
    )
    return named + ([("all together", float(unchanged["all"]))] if "all" in unchanged else [])


def lineage(release: Release) -> list[tuple[str, str]]:
    """Where the release comes from, and what exactly it is."""
    manifest, report = release.manifest, release.report
    dataset = manifest.get("dataset") or {}
    interactions = dataset.get("interactions")
    return [
        ("Data set", str(dataset.get("digest", "not told"))),
        ("Learned from", "not told" if interactions is None else f"{number(interactions)} interactions"),
        ("Measured on", f"{number(report['orders'])} purchases" if report.get("orders") else "not told"),
        ("Made", str(manifest.get("created", "not told"))),
        ("Signed", str(report.get("published", "not told"))),
        ("Signed by", str(report.get("signer", "not told"))),
        ("Listed here", when(release.listed_at_ms)),
        ("Network's SHA-256", release.digest),
        ("File", release.target),
        ("Oldest agent that may run it", release.minimum_agent),
    ]


def flavours(names: Sequence[str]) -> str:
    """The catalogue in one line."""
    return ", ".join(names)


def _release(value: int | None) -> str:
    return "none" if value is None else f"release {value}"
