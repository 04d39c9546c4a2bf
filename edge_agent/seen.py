"""What camera and model have to say about this moment; trouble is a reason, not an exception."""

from dataclasses import dataclass

from edge_agent.impression import Reason
from edge_agent.ports import Frame
from edge_agent.shelf import Shelf
from edge_agent.slate import Policies
from inference import Context, InferenceError, Recommendation

_NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One look: a recommendation, or the reason why there is none to use."""

    recommendation: Recommendation | None
    """Also there when `reason` is NOBODY: it is recorded, not shown."""
    reason: Reason | None
    frame_age_ms: float | None
    error: InferenceError | None = None

    @property
    def nobody(self) -> float | None:
        """Probability that nobody stands there; None where the model was not asked."""
        return None if self.recommendation is None else self.recommendation.nobody


def look(frame: Frame | None, context: Context, shelf: Shelf, *, now_ns: int, max_age_ms: float) -> Seen:
    """Ask the model about the newest frame, whatever the arm: no record may lack what another arm's has."""
    age_ms = None if frame is None else max(0.0, (now_ns - frame.captured_ns) / _NS_PER_MS)
    if shelf.model is None:
        return Seen(None, Reason.NO_MODEL, age_ms)
    if frame is None or age_ms is None or age_ms > max_age_ms:
        return Seen(None, Reason.CAMERA_AWAY, age_ms)
    try:
        recommendation = shelf.model.recommend(frame.pixels, context, shelf.mask)
    except InferenceError as error:
        return Seen(None, Reason.MODEL_FAILED, age_ms, error)
    nobody = shelf.model.manifest.means_nobody(recommendation.nobody)
    return Seen(recommendation, Reason.NOBODY if nobody else None, age_ms)


def policies(recommendation: Recommendation, shelf: Shelf) -> Policies:
    """What the arms choose from."""
    scores = recommendation.scores.tolist()
    return Policies(
        top=tuple(shelf.flavours[index].id for index in recommendation.top3 if index >= 0),
        bestsellers=shelf.bestsellers,
        scores={shelf.flavours[index].id: scores[index] for index in shelf.available},
    )
