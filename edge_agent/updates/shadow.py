"""A release beside the one in use, on the same pictures: how often both say the same; pure."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from edge_agent.quantiles import quantiles
from wire_protocol.fleet_messages import ShadowHealth

LATENCIES: Final = 1024


class Comparison:
    """Counts since the shadow was loaded; flavours are compared by id, as catalogues may differ."""

    def __init__(self, release: int, digest: str) -> None:
        self.release = release
        self.digest = digest
        self._compared = self._same_first = self._same_three = self._errors = 0
        self._took_ms: deque[float] = deque(maxlen=LATENCIES)

    def compare(self, shown: Sequence[str], shadow: Sequence[str], took_ms: float) -> None:
        """Both answered for one picture; best first."""
        self._compared += 1
        self._same_first += tuple(shown[:1]) == tuple(shadow[:1])
        self._same_three += set(shown) == set(shadow)
        self._took_ms.append(took_ms)

    def failed(self) -> None:
        """The shadow's answer was no use."""
        self._errors += 1

    def figures(self) -> ShadowHealth:
        """As a report carries them."""
        found = quantiles(self._took_ms)
        return ShadowHealth(
            release=self.release,
            digest=self.digest,
            compared=self._compared,
            same_first=self._same_first,
            same_three=self._same_three,
            errors=self._errors,
            p99_ms=0.0 if found is None else found["p99"],
        )
