"""One interaction put into words: the record of it, and what listeners hear."""

from dataclasses import dataclass, fields
from uuid import UUID

from edge_agent.impression import Arm, Impression
from edge_agent.seen import Seen
from edge_agent.shelf import Shelf
from edge_agent.slate import Slate
from inference import Context

_CONTEXT_FIELDS = tuple(field.name for field in fields(Context))


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """What was known when a slate was chosen, the same for every arm."""

    interaction_id: UUID
    shown_at_ms: int
    context: Context
    shelf: Shelf
    seen: Seen
    language: str

    def impression(self, arm: Arm, slate: Slate, *, total_ms: float) -> Impression:
        """The record of the slate that was chosen."""
        model, recommendation = self.shelf.model, self.seen.recommendation
        offers = zip(slate.flavours, slate.probability, strict=True)
        return Impression(
            interaction_id=self.interaction_id,
            slate=tuple(self.shelf.offer(flavour, self.language, chance) for flavour, chance in offers),
            arm=arm,
            source=slate.source,
            reason=slate.reason,
            propensity=slate.propensity,
            model_digest=None if model is None else model.digest,
            model_version=None if model is None else model.manifest.version,
            menu_version=self.shelf.menu.version,
            in_stock=self.shelf.in_stock,
            context=tuple((name, getattr(self.context, name)) for name in _CONTEXT_FIELDS),
            nobody=self.seen.nobody,
            scores=None if recommendation is None else tuple(recommendation.scores.tolist()),
            shown_at_ms=self.shown_at_ms,
            frame_age_ms=self.seen.frame_age_ms,
            inference_ms=None if recommendation is None else recommendation.inference_ms,
            total_ms=total_ms,
        )


def as_event(impression: Impression) -> dict[str, object]:
    """What the display and other listeners of `recommendation` get."""
    return {
        "interaction_id": str(impression.interaction_id),
        "top3": [
            {"flavour": offer.flavour, "name": offer.name, "probability": offer.probability}
            for offer in impression.slate
        ],
        "source": impression.source.value,
        "reason": None if impression.reason is None else impression.reason.value,
        "arm": impression.arm.value,
        "model": impression.model_version,
        "nobody": impression.nobody,
        "shown_at_ms": impression.shown_at_ms,
        "frame_age_ms": impression.frame_age_ms,
        "inference_ms": impression.inference_ms,
        "total_ms": impression.total_ms,
    }
