"""A figure, its goal, and what follows for the exit status."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Verdict(StrEnum):
    """How a figure stands to its goal."""

    PASS = "pass"
    MISSED = "missed"
    FAILED = "failed"  # the measurement itself broke
    NOT_RUN = "not run"
    SHOWN = "shown"  # a figure without a goal


class Exit(IntEnum):
    """What `python -m benchmarks.edge` tells its caller."""

    GOOD = 0
    MISSED = 1
    SLOW_BASELINE = 2


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit; the limit itself is good unless `strict`."""

    limit: float
    at_least: bool = False
    strict: bool = False

    def met(self, value: float) -> bool:
        """Whether `value` is on the good side; not-a-number never is."""
        if value == self.limit:
            return not self.strict
        return value > self.limit if self.at_least else value < self.limit

    def __str__(self) -> str:
        sign = (">" if self.at_least else "<") if self.strict else ("≥" if self.at_least else "≤")
        return f"{sign} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `value` is None when nothing was measured; `note` then says why."""

    name: str
    value: float | None
    unit: str = ""
    goal: Goal | None = None
    note: str = ""
    broke: bool = False

    @property
    def verdict(self) -> Verdict:
        """Pass or missed where there is a goal and a value; never pass without both."""
        if self.broke:
            return Verdict.FAILED
        if self.value is None:
            return Verdict.NOT_RUN
        if self.goal is None:
            return Verdict.SHOWN
        return Verdict.PASS if self.goal.met(self.value) else Verdict.MISSED


@dataclass(frozen=True, slots=True)
class BaselineCheck:
    """One baseline's figure beside what the same baseline reached when it was first measured.

    `comparable` is False on another processor: the figures are then shown and nothing follows.
    """

    name: str
    reference_ms: float
    measured_ms: float
    comparable: bool
    note: str = ""

    MOST = 1.25
    """A baseline slower than this times its reference would flatter every ratio against it."""

    @property
    def slow(self) -> bool:
        """Whether ratios against this baseline are not to be trusted."""
        return self.comparable and not self.measured_ms <= self.reference_ms * self.MOST


def exit_status(figures: Sequence[Figure], baselines: Sequence[BaselineCheck]) -> Exit:
    """A missed goal or a broken row comes first, then a baseline that flatters."""
    if any(figure.verdict in {Verdict.MISSED, Verdict.FAILED} for figure in figures):
        return Exit.MISSED
    if any(check.slow for check in baselines):
        return Exit.SLOW_BASELINE
    return Exit.GOOD
