"""What the agent asks of the world; adapters answer, simulators stand in for them in tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from edge_agent.impression import Displayed, Impression, Outcome, StoredOutcome
from inference import Context, Manifest, Recommendation


class CameraState(StrEnum):
    """Where a camera is in its life."""

    STARTING = "starting"
    LIVE = "live"
    STALE = "stale"  # open, but the newest picture is older than it should be
    AWAY = "away"  # cannot be opened, or disappeared; being retried


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture: BGR uint8 [H, W, 3], never written to after it was published."""

    pixels: NDArray[np.uint8]
    captured_ns: int
    sequence: int


class Camera(Protocol):
    """A source that keeps only its newest picture."""

    def latest(self) -> Frame | None:
        """The newest picture, however old; None before the first. Never blocks, never raises."""

    def state(self) -> CameraState:
        """What to show on a health page; never blocks, never raises."""

    def close(self) -> None:
        """Stop; returns within two seconds. May be called twice."""


class Model(Protocol):
    """A loaded model; called by one thread only."""

    @property
    def manifest(self) -> Manifest:
        """Catalogue, context encodings and threshold."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the network that really is in memory."""

    def recommend(
        self, frame: NDArray[np.uint8], context: Context, in_stock: NDArray[np.bool_] | None = None
    ) -> Recommendation:
        """Scores of every flavour. Raises `inference.ModelError` when the network's answer is unusable."""

    def warm_up(self) -> None:
        """Bring code and weights back into the caches; same cost as one recommendation."""


class ModelLoader(Protocol):
    """Reads a model directory."""

    def __call__(self, directory: Path) -> Model:
        """Load and check. Raises `inference.ModelError`."""


class Journal(Protocol):
    """The register's record: what was shown and what was bought. Safe to call from any thread."""

    def impression(self, impression: Impression) -> None:
        """Queue a record; durable within 100 ms. Never blocks, never raises; a full disk is counted."""

    def displayed(self, displayed: Displayed) -> None:
        """Queue the fact that the slate was on the customer's display. As `impression`."""

    def outcome(self, outcome: Outcome) -> StoredOutcome:
        """Store what was bought; returns when durable (call it off the event loop).

        The same idempotency key with the same content returns the first answer again.

        Raises:
            ConflictError: The key was used with other content.
            JournalError: The disk refused; nothing was stored.
        """

    def knows(self, interaction_id: UUID) -> bool:
        """Whether one of the newest impressions has this id, those of the last run included; never blocks."""

    def save_setting(self, name: str, value: str) -> None:
        """Keep a small setting (the menu) over restarts; durable on return. Raises JournalError."""

    def setting(self, name: str) -> str | None:
        """The kept setting, or None."""

    def counts(self) -> Mapping[str, int]:
        """Since it began: `impressions`, `outcomes` of them, `sales` without one, `dropped` slates."""

    def close(self) -> None:
        """Write what is queued, then close."""


class Clock(Protocol):
    """The only reader of time."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC; may step."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that only grow, comparable to `Frame.captured_ns`."""

    def local(self) -> tuple[float, int]:
        """Hour of the day (0 ≤ h < 24, with minutes as fraction) and weekday (Monday = 0) of the shop."""


class EventSink(Protocol):
    """Takes what subscribers of `/v1/events` shall see."""

    def publish(self, kind: str, data: Mapping[str, object]) -> None:
        """Never blocks; slow subscribers lose their connection, not the agent its time."""


class Randomness(Protocol):
    """The only source of unpredictable bytes."""

    def __call__(self, length: int) -> bytes:
        """`length` bytes from the operating system."""


Slate = Sequence[int]
"""Indices of flavours, best first."""
