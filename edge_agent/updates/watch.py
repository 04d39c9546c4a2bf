"""What is noted of each look of the model, for trial, cloud and shadow; costs microseconds."""

from dataclasses import dataclass

from edge_agent.impression import Reason
from edge_agent.ports import Frame, Model
from edge_agent.seen import Seen
from edge_agent.shelf import Shelf
from edge_agent.updates.health import Health
from edge_agent.updates.shadow_loop import Shadow
from edge_agent.updates.trial import Trial
from inference import Context


@dataclass(slots=True)
class Watch:
    """Who wants to know, while one model is in use."""

    model: Model | None = None
    health: Health | None = None
    trial: Trial | None = None
    shadow: Shadow | None = None

    def interaction(self, frame: Frame | None, context: Context, shelf: Shelf, seen: Seen) -> bool:
        """A customer was recommended something; whether it went wrong."""
        if shelf.model is not self.model or self.health is None:
            return False
        recommendation = seen.recommendation
        if recommendation is None:
            if seen.reason is not Reason.MODEL_FAILED:
                return False
            self.health.failed()
        else:
            nobody = seen.reason is Reason.NOBODY
            first = recommendation.top3[0] if recommendation.top3 else -1
            probability = recommendation.probability[0] if recommendation.probability else 0.0
            self.health.answered(recommendation.total_ms, first, probability, nobody=nobody)
            if self.shadow is not None and frame is not None and not nobody:
                shown = tuple(shelf.flavours[index].id for index in recommendation.top3 if index >= 0)
                self.shadow.offer(frame, context, shelf, shown)
        return self.look(seen)

    def look(self, seen: Seen) -> bool:
        """The trial counts every look, its own too; whether it went wrong."""
        wrong = seen.recommendation is None and seen.reason is Reason.MODEL_FAILED
        if self.trial is not None and seen.recommendation is not None:
            self.trial.answered(seen.recommendation.total_ms)
        elif self.trial is not None and wrong:
            self.trial.failed()
        return wrong
