"""Proof that the inference loop works, not only that the process exists."""

STALE_AFTER_S = 30.0
"""Six missed beats: a busy till is slow, not dead."""


class Heartbeat:
    """When the loop last ran the model (or found that there is none) and came back."""

    def __init__(self, now_ns: int) -> None:
        self._last_ns = now_ns

    def beat(self, now_ns: int) -> None:
        """The loop came round."""
        self._last_ns = now_ns

    def age_s(self, now_ns: int) -> float:
        """Seconds since."""
        return max(0.0, (now_ns - self._last_ns) / 1e9)
