"""How long to wait before the next attempt."""

from dataclasses import dataclass

_MOST_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubling delays with jitter, so that a shop's tills do not all knock at one camera in step."""

    first_s: float
    longest_s: float

    def delay_s(self, attempt: int, chance: float) -> float:
        """Seconds to wait after failed attempt number `attempt` (from 0).

        Args:
            attempt: How many attempts failed in a row before this one.
            chance: A uniform random number, 0 <= chance < 1; the delay is between half and the whole step.
        """
        step_s = min(self.longest_s, self.first_s * float(1 << min(attempt, _MOST_DOUBLINGS)))
        return step_s * (0.5 + 0.5 * chance)
