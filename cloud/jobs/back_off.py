"""How long a job that failed waits until it is tried again. Pure."""

from typing import Final

FIRST_MS: Final = 250
FACTOR: Final = 4
MOST_MS: Final = 10_000


def retry_after_ms(attempt: int, roll: float) -> int:
    """Exponential back-off with jitter, so that what failed together does not come back together.

    Args:
        attempt: Which one failed: 1 for the first.
        roll: At random, 0 to 1.
    """
    longest = min(MOST_MS, FIRST_MS * FACTOR ** min(attempt - 1, 8))
    return int(longest * (0.5 + roll / 2))
