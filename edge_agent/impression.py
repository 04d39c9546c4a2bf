"""What is recorded: a slate that was offered, and what was bought."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Arm(StrEnum):
    """Which policy chose the slate (drawn per interaction)."""

    MODEL = "model"
    EXPLORE = "explore"  # Plackett-Luce sample from the model's scores
    BESTSELLERS = "bestsellers"  # the control


class Source(StrEnum):
    """What the slate really is, as customer and till are told."""

    MODEL = "model"
    BESTSELLERS = "bestsellers"


class Reason(StrEnum):
    """Why best-sellers are shown, or nothing at all."""

    CONTROL = "control"  # the arm says so
    NOBODY = "nobody"  # nobody stands there
    CAMERA_AWAY = "camera-away"
    NO_MODEL = "no-model"
    MODEL_FAILED = "model-failed"
    NOTHING_IN_STOCK = "nothing-in-stock"  # the slate is empty
    NO_CATALOGUE = "no-catalogue"  # no model was ever loaded and the configuration names no best-sellers


@dataclass(frozen=True, slots=True)
class Offer:
    """One flavour of a slate, in its position."""

    flavour: str
    name: str
    probability: float | None
    """Calibrated probability of purchase by the model; None where no model was asked."""


@dataclass(frozen=True, slots=True)
class Impression:
    """One recommendation with all that measurement needs; nothing is missing for one arm only."""

    interaction_id: UUID
    slate: tuple[Offer, ...]
    arm: Arm
    source: Source
    reason: Reason | None
    propensity: float
    """Probability that this ordered slate is shown, over arms and sampling together (0 < p ≤ 1)."""
    model_digest: str | None
    model_version: str | None
    menu_version: int
    in_stock: tuple[str, ...]
    context: tuple[tuple[str, float | int | str | None], ...]
    nobody: float | None
    scores: tuple[float, ...] | None
    shown_at_ms: int
    frame_age_ms: float | None
    inference_ms: float | None
    total_ms: float


@dataclass(frozen=True, slots=True)
class Displayed:
    """The customer's display says that it showed the slate."""

    interaction_id: UUID
    at_ms: int


@dataclass(frozen=True, slots=True)
class SoldLine:
    """So many scoops of one flavour."""

    flavour: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was bought; `interaction_id` None is a sale that nobody was recommended anything for."""

    idempotency_key: str
    interaction_id: UUID | None
    receipt_hmac: str
    """HMAC-SHA-256 (hex) of the till's receipt id: the id itself never leaves the till's software."""
    lines: tuple[SoldLine, ...]
    at_ms: int
    since_shown_ms: int | None = None
    """Time to purchase by a clock that does not step; None where the slate is long forgotten."""


@dataclass(frozen=True, slots=True)
class StoredOutcome:
    """The answer to an outcome, the same for every repetition."""

    outcome_id: UUID
    stored_at_ms: int
    repeated: bool
