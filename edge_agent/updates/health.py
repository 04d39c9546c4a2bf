"""How the model in use does, in figures that cost nothing to keep; pure."""

from collections import deque
from typing import Final

from edge_agent.quantiles import quantiles
from wire_protocol.fleet_messages import ModelHealth

LATENCIES: Final = 1024
"""The newest so many count for p50 and p99."""
STEPS: Final = 10
"""Of the confidence's histogram."""
LABELS_MAX: Final = 64


class Health:
    """Counts real recommendations since the model was put in use, or the agent started with it.

    Args:
        since_ms: When that was.
        flavours: How many the model knows.
    """

    def __init__(self, since_ms: int, flavours: int) -> None:
        self.since_ms = since_ms
        self._recommendations = self._errors = self._nobody = 0
        self._confidence = [0] * STEPS
        self._labels = [0] * min(flavours, LABELS_MAX)
        self._took_ms: deque[float] = deque(maxlen=LATENCIES)

    def answered(self, took_ms: float, first: int, probability: float, *, nobody: bool) -> None:
        """The model answered.

        Args:
            took_ms: Picture to three flavours.
            first: Index of its first flavour; -1 where nothing is in stock.
            probability: Of that flavour.
            nobody: It says that nobody stands there: its flavours mean nothing then.
        """
        self._recommendations += 1
        self._took_ms.append(took_ms)
        if nobody:
            self._nobody += 1
        elif 0 <= first < len(self._labels):
            self._labels[first] += 1
            self._confidence[min(STEPS - 1, int(probability * STEPS))] += 1

    def failed(self) -> None:
        """The model's answer was no use."""
        self._errors += 1

    def figures(self, crashes: int) -> ModelHealth:
        """As a report carries them."""
        found = quantiles(self._took_ms)
        return ModelHealth(
            since=self.since_ms,
            recommendations=self._recommendations,
            errors=self._errors,
            crashes=crashes,
            nobody=self._nobody,
            p50_ms=0.0 if found is None else found["p50"],
            p99_ms=0.0 if found is None else found["p99"],
            confidence=tuple(self._confidence),
            labels=tuple(self._labels),
        )
