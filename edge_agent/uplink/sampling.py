"""Which consented pictures are worth the bandwidth: a rule that chooses, and quotas that end the choosing.

Quotas survive a restart: their state is a small setting that the spool keeps in the transaction of the frame
that it counts. A day is one of UTC.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Protocol, Self
from uuid import UUID

from edge_agent.arms import unit_hash
from edge_agent.config import SamplingConfig

SETTING: Final = "sampling"
"""The name that the state is kept under."""
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS


class Candidate(Protocol):
    """What a rule looks at."""

    @property
    def first(self) -> str | None:
        """The flavour in first place."""

    @property
    def margin(self) -> float | None:
        """Score of the third less that of the fourth flavour; None where there are fewer, or no scores."""


def is_chosen(rules: SamplingConfig, candidate: Candidate, interaction_id: UUID, seed: str) -> bool:
    """Whether the rule alone wants this picture; the same for the same interaction, for ever.

    Args:
        rules: From the configuration.
        candidate: The picture's slate.
        interaction_id: The unit of the draw.
        seed: The tenant's, at most 64 bytes of UTF-8.
    """
    match rules.rule:
        case "all":
            return True
        case "share":
            return unit_hash(interaction_id, seed=seed, purpose="sampling") < rules.share
        case "near-tie":
            return candidate.margin is not None and abs(candidate.margin) <= rules.margin


@dataclass(slots=True)
class Quotas:
    """How many pictures were taken in this hour and on this day.

    A clock that steps into another hour begins a new one, forwards or backwards: quotas save bandwidth, and a
    clock that was years ahead for a minute must not end the sampling.
    """

    hour: int = 0
    in_hour: int = 0
    day: int = 0
    in_day: int = 0
    of_flavour: Counter[str] = field(default_factory=Counter)

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """What `text` of an earlier run says; nothing was taken if that cannot be read."""
        try:
            state = json.loads(text or "{}")
            return cls(
                hour=int(state["hour"]),
                in_hour=int(state["in_hour"]),
                day=int(state["day"]),
                in_day=int(state["in_day"]),
                of_flavour=Counter({str(name): int(count) for name, count in state["of_flavour"].items()}),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def text(self) -> str:
        """The state, for `parse`."""
        state = {
            "hour": self.hour,
            "in_hour": self.in_hour,
            "day": self.day,
            "in_day": self.in_day,
            "of_flavour": dict(self.of_flavour),
        }
        return json.dumps(state, sort_keys=True, separators=(",", ":"))

    def take(self, rules: SamplingConfig, first: str | None, now_ms: int) -> bool:
        """Whether there is room for one more; if so, it counts."""
        self._turn(now_ms)
        flavour = "" if first is None else first
        bounds = (
            (rules.per_hour, self.in_hour),
            (rules.per_day, self.in_day),
            (rules.per_flavour_per_day, self.of_flavour[flavour]),
        )
        if any(bound and taken >= bound for bound, taken in bounds):
            return False
        self.in_hour += 1
        self.in_day += 1
        self.of_flavour[flavour] += 1
        return True

    def _turn(self, now_ms: int) -> None:
        if now_ms // _HOUR_MS != self.hour:
            self.hour, self.in_hour = now_ms // _HOUR_MS, 0
        if now_ms // _DAY_MS != self.day:
            self.day, self.in_day = now_ms // _DAY_MS, 0
            self.of_flavour.clear()


class FrameSampler:
    """The rule and the quotas of one register.

    Args:
        rules: From the configuration.
        seed: The tenant's, for the share.
        kept: What the spool has under `SETTING`.
    """

    def __init__(self, rules: SamplingConfig, seed: str, kept: str | None) -> None:
        self._rules = rules
        self._seed = seed
        self._quotas = Quotas.parse(kept)

    def choose(self, frame: Candidate, interaction_id: UUID, now_ms: int) -> bool:
        """Whether to send this one; a yes counts against the quotas."""
        return is_chosen(self._rules, frame, interaction_id, self._seed) and self._quotas.take(
            self._rules, frame.first, now_ms
        )

    def settings(self) -> dict[str, str]:
        """What the spool shall keep."""
        return {SETTING: self._quotas.text()}
