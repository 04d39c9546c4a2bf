"""How many consent blanks a register keeps: enough for two weeks without a network at its busiest.

A blank ends unused after 90 days, and its key with it, so a register that asks nobody keeps only a few.
"""

import json
from dataclasses import dataclass, field
from typing import Final, Self

from wire_protocol.limits import BLANKS_PER_MESSAGE_MAX

SETTING: Final = "blank_stock"
"""The name that the state is kept under."""
OFFLINE_DAYS: Final = 14
LEAST: Final = 50
"""For a register whose consumption is not known yet."""
MOST: Final = 3000
"""About 1.5 MB, and a bound on what a thief of a register could invent."""
_ASK_BELOW: Final = 0.8
"""Of the stock: not one message for every blank that is used."""
_DAYS_KEPT: Final = 28
_DAY_MS: Final = 86_400_000


@dataclass(slots=True)
class Consumption:
    """Blanks used per day (UTC), by the day's number since 1970, over the last four weeks."""

    used: dict[int, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """What `text` of an earlier run says; nothing is known if that cannot be read."""
        try:
            used = {int(day): int(count) for day, count in json.loads(text or "{}").items()}
        except (ValueError, TypeError, AttributeError):
            return cls()
        return cls(used)

    def text(self) -> str:
        """The state, for `parse`."""
        return json.dumps(self.used, separators=(",", ":"))

    def note(self, now_ms: int) -> None:
        """One blank was used now; of the days, those that were noted last are kept."""
        day = now_ms // _DAY_MS
        self.used[day] = self.used.pop(day, 0) + 1
        while len(self.used) > _DAYS_KEPT:
            del self.used[next(iter(self.used))]

    @property
    def peak_per_day(self) -> int:
        """On the busiest of those days."""
        return max(self.used.values(), default=0)


def stock(peak_per_day: int) -> int:
    """How many blanks to have."""
    return min(MOST, max(LEAST, OFFLINE_DAYS * peak_per_day))


def wanted(left: int, peak_per_day: int) -> int:
    """How many to ask for with the next report: 0, or what is missing, at most one message's worth.

    Args:
        left: Usable blanks here.
        peak_per_day: From `Consumption`.
    """
    full = stock(peak_per_day)
    if left >= full * _ASK_BELOW:
        return 0
    return min(BLANKS_PER_MESSAGE_MAX, full - left)
