"""Records of slates and sales, and a clock that tests set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from edge_agent.impression import Arm, Impression, Offer, Outcome, SoldLine, Source
from wire_protocol.identifiers import uuid7

if TYPE_CHECKING:
    from collections.abc import Callable

START_MS = 1_795_000_000_000
"""An instant in November 2026."""


@dataclass
class StandingClock:
    """A clock that stands until somebody moves it."""

    ms: int = START_MS
    ns: int = 1_000_000_000
    hour: float = 15.5
    weekday: int = 5

    def now_ms(self) -> int:
        return self.ms

    def monotonic_ns(self) -> int:
        return self.ns

    def local(self) -> tuple[float, int]:
        return self.hour, self.weekday

    def advance(self, ms: float) -> None:
        self.ms += int(ms)
        self.ns += int(ms * 1_000_000)


def seeded_randomness(seed: int = 0) -> Callable[[int], bytes]:
    """Bytes that are the same in every run."""
    return Random(seed).randbytes


def interaction_id(number: int) -> UUID:
    """The same id for the same number."""
    return uuid7(START_MS + number, number.to_bytes(10, "big"))


def impression(number: int = 0, **changes: Any) -> Impression:
    """A record of the model's arm."""
    record = Impression(
        interaction_id=interaction_id(number),
        slate=(Offer("mango", "Mango", 0.5), Offer("mint", "Mint", 0.25), Offer("lemon", "Lemon", 0.125)),
        arm=Arm.MODEL,
        source=Source.MODEL,
        reason=None,
        propensity=0.875,
        model_digest="ab" * 32,
        model_version="2026.11.22",
        menu_version=3,
        in_stock=("mango", "mint", "lemon", "coffee"),
        context=(("hour", 15.5), ("weekday", 5), ("temperature_c", None), ("shop", "beach")),
        nobody=0.01,
        scores=(1.0, 0.5, 0.25, -1.0),
        shown_at_ms=START_MS + number,
        frame_age_ms=12.0,
        inference_ms=0.2,
        total_ms=0.4,
    )
    return replace(record, **changes)


def outcome(key: str = "till-1/1", **changes: Any) -> Outcome:
    """A sale of two scoops without an interaction."""
    record = Outcome(
        idempotency_key=key,
        interaction_id=None,
        receipt_hmac="cd" * 32,
        lines=(SoldLine("mango", 1), SoldLine("mint", 1)),
        at_ms=START_MS,
    )
    return replace(record, **changes)
