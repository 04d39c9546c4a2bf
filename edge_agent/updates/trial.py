"""The health window of a release on trial: long enough, seen enough, no errors, fast enough; pure."""

from dataclasses import dataclass
from math import exp, lgamma, log
from typing import Final

from wire_protocol.fleet_messages import UpdateReason

ERRORS_MIN: Final = 3
ERRORS_SHARE_MAX: Final = 0.05
"""Of all answers; a model that answered its golden frames fails at none of a shop's."""
SLOW_MIN: Final = 3
"""A till hiccups; so many slow answers are none."""
SLOW_SHARE: Final = 0.01
"""What a p99 allows."""
SLOW_DOUBT: Final = 0.005
"""More slow answers than a model that keeps its budget has in so few of its trials are too many."""
SLOW_BEYOND_DOUBT: Final = 1e-6
"""The same before the trial's end, where every answer is another chance to be wrong."""
LOOK_EVERY_MIN_S: Final = 0.1
LOOK_EVERY_MAX_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Rules:
    """What a trial asks for.

    Args:
        min_ms: It lasts so long at least.
        min_answers: It needs so many answers at least.
        budget_ms: The p99 that the release's manifest allows, picture to three flavours.
    """

    min_ms: int
    min_answers: int
    budget_ms: float

    @property
    def look_every_s(self) -> float:
        """How often to look at the camera by itself, so that the answers come in time without customers."""
        every_s = self.min_ms / self.min_answers / 1000
        return min(LOOK_EVERY_MAX_S, max(LOOK_EVERY_MIN_S, every_s))


@dataclass(frozen=True, slots=True)
class Passed:
    """It is GOOD."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It is BAD."""

    reason: UpdateReason
    words: str


class Trial:
    """Counts answers since the release was put in use, or the agent started with it."""

    def __init__(self, rules: Rules, began_ms: int) -> None:
        self.rules = rules
        self._began_ms = began_ms
        self.answers = 0
        self.errors = 0
        self.slow = 0

    def answered(self, took_ms: float) -> None:
        """The network answered, whoever asked and whatever it said."""
        self.answers += 1
        self.slow += took_ms > self.rules.budget_ms

    def failed(self) -> None:
        """The network's answer was no use."""
        self.errors += 1

    def progress(self, now_ms: int) -> float:
        """How far it has come, 0 to 1; `now_ms` is monotonic."""
        elapsed = (now_ms - self._began_ms) / self.rules.min_ms
        return min(1.0, elapsed, self.answers / self.rules.min_answers)

    def judge(self, now_ms: int) -> Passed | Failed | None:
        """The verdict, if it is time for one; trouble is no matter of time, and quiet is no health."""
        asked = self.answers + self.errors
        if self.errors >= ERRORS_MIN and self.errors > ERRORS_SHARE_MAX * asked:
            return Failed(UpdateReason.ERRORS, f"{self.errors} of {asked} answers were no use")
        over = now_ms - self._began_ms >= self.rules.min_ms and self.answers >= self.rules.min_answers
        doubt = SLOW_DOUBT if over else SLOW_BEYOND_DOUBT
        if self.slow >= SLOW_MIN and chance_of(self.slow, self.answers) < doubt:
            return Failed(
                UpdateReason.TOO_SLOW,
                f"{self.slow} of {self.answers} answers took longer than {self.rules.budget_ms:g} ms; "
                "one in a hundred may",
            )
        return Passed() if over else None


def chance_of(slow: int, answers: int) -> float:
    """How likely so many or more slow answers are where one in a hundred is (binomial tail)."""
    if slow > 100 and slow > 10 * SLOW_SHARE * answers:
        return 0.0  # no need to add up thousands of terms
    fewer = sum(exp(_log_binomial(answers, count)) for count in range(slow))
    return max(0.0, 1.0 - fewer)


def _log_binomial(answers: int, count: int) -> float:
    ways = lgamma(answers + 1) - lgamma(count + 1) - lgamma(answers - count + 1)
    return ways + count * log(SLOW_SHARE) + (answers - count) * log(1 - SLOW_SHARE)
