"""Releases on this register and the verdicts on them, as a table. Which one is used is another fact."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self

from wire_protocol.fleet_messages import UpdateReason


class Verdict(StrEnum):
    """What this register thinks of a release."""

    ABSENT = "absent"  # it never lay here, or its files are gone
    TRIAL = "trial"  # complete and tried beside the till; not proven at it
    GOOD = "good"
    BAD = "bad"  # it was returned from; its files are gone, the verdict stays


class Happened(StrEnum):
    """What moves a verdict."""

    STAGED = "staged"  # verified, tried and durable in its folder
    PASSED = "passed"  # the trial
    FAILED = "failed"  # the trial
    GONE = "gone"  # its files were removed, or are no longer what was signed


TABLE: Final[dict[tuple[Verdict, Happened], Verdict]] = {
    (Verdict.ABSENT, Happened.STAGED): Verdict.TRIAL,
    (Verdict.TRIAL, Happened.STAGED): Verdict.TRIAL,  # the power went before it was noted
    (Verdict.GOOD, Happened.STAGED): Verdict.GOOD,  # fetched as a shadow, say
    (Verdict.BAD, Happened.STAGED): Verdict.TRIAL,  # another rollout wants it all the same
    (Verdict.TRIAL, Happened.PASSED): Verdict.GOOD,
    (Verdict.TRIAL, Happened.FAILED): Verdict.BAD,
    (Verdict.TRIAL, Happened.GONE): Verdict.ABSENT,
    (Verdict.GOOD, Happened.GONE): Verdict.ABSENT,
    (Verdict.BAD, Happened.GONE): Verdict.BAD,
}
"""Every step that can happen; any other is a mistake of ours, and an error."""


def step(verdict: Verdict, happened: Happened) -> Verdict:
    """The verdict after it.

    Raises:
        ValueError: The table has no such step.
    """
    try:
        return TABLE[verdict, happened]
    except KeyError:
        raise ValueError(f"a release that is {verdict} cannot have {happened}") from None


@dataclass(frozen=True, slots=True)
class Slot:
    """One release as this register knows it.

    Args:
        release: Its number.
        digest: SHA-256 of its network, hex.
        directory: Its folder below the releases.
        verdict: What is thought of it.
        at_ms: When that came to be.
        reason: Why it is BAD.
        words: The same for people.
        manifest: SHA-256 of its manifest, hex; None where nobody noted it.
        left_generation: Of the order that turned away from it, or under which a person did; None where nobody
            has since it was last ordered.
    """

    release: int
    digest: str
    directory: str
    verdict: Verdict
    at_ms: int
    reason: UpdateReason | None = None
    words: str | None = None
    manifest: str | None = None
    left_generation: int | None = None

    @property
    def there(self) -> bool:
        """Whether its files should be there."""
        return self.verdict in {Verdict.TRIAL, Verdict.GOOD}

    def after(
        self, happened: Happened, at_ms: int, reason: UpdateReason | None = None, words: str | None = None
    ) -> Self:
        """The slot afterwards; raises ValueError as `step`."""
        verdict = step(self.verdict, happened)
        if verdict is self.verdict:
            return self
        return replace(self, verdict=verdict, at_ms=at_ms, reason=reason, words=words)
