"""How fast, how much and how long: the figures of the delivery, and the delays that follow from them."""

from dataclasses import dataclass
from typing import Final

from wire_protocol.limits import MESSAGE_MAX_BYTES

PACKET_OVERHEAD_BYTES: Final = 256
"""Fixed header, topic (at most 90 bytes) and properties of a PUBLISH."""
_MOST_DOUBLINGS: Final = 30


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """Bounds of the delivery; the defaults suit a till on a household's line."""

    window_count: int = 32
    """Messages under way, those that wait for their next attempt included."""
    window_bytes: int = 2 << 20
    frames_count: int = 16
    """Of the window, at most for frames, and never more than three quarters of it: a quota on frames does not
    hold up the small lanes.
    """
    frames_bytes: int = 1 << 20
    per_s: float = 100.0
    """Messages a second: a backlog must not slow the till."""
    burst: int = 16
    receipt_timeout_ms: int = 30_000
    """Without a receipt for so long, a message is sent again; doubles with each attempt."""
    resend_longest_ms: int = 600_000
    start_jitter_ms: int = 2_000
    """A shopping centre's tills get their power back in the same second."""
    reconnect_least_ms: int = 1_000
    reconnect_first_ms: int = 8_000
    reconnect_longest_ms: int = 300_000
    connect_timeout_ms: int = 30_000
    stable_ms: int = 60_000
    """A connection that lasted shorter than this does not reset the back-off."""

    def __post_init__(self) -> None:
        """Refuse figures with which nothing would ever be sent; raises ValueError."""
        if not 0 < self.reconnect_least_ms <= self.reconnect_first_ms <= self.reconnect_longest_ms:
            raise ValueError("the delays of reconnecting must grow: least, first, longest")
        if min(self.window_count, self.frames_count, self.burst) < 1 or self.per_s <= 0:
            raise ValueError("window, burst and pace must be positive")
        if min(self.window_bytes, self.frames_bytes) < MESSAGE_MAX_BYTES:
            raise ValueError(f"a window must hold one message of {MESSAGE_MAX_BYTES} bytes")

    @property
    def frames_at_once(self) -> int:
        """How many frames may be under way."""
        return min(self.frames_count, max(1, self.window_count * 3 // 4))

    def reconnect_ms(self, attempt: int, chance: float) -> int:
        """How long to wait after failed attempt number `attempt` (from 0): a second up to the doubled step.

        Full jitter: agents that lost the same broker spread over the whole step.
        """
        step_ms = _doubled(self.reconnect_first_ms, attempt, self.reconnect_longest_ms)
        return self.reconnect_least_ms + round(chance * (step_ms - self.reconnect_least_ms))

    def resend_ms(self, attempt: int, chance: float) -> int:
        """How long to wait for the receipt of publish number `attempt` (from 0): the step, and some more."""
        step_ms = _doubled(self.receipt_timeout_ms, attempt, self.resend_longest_ms)
        return round(step_ms * (1 + chance / 2))


def _doubled(first_ms: int, attempt: int, longest_ms: int) -> int:
    return min(longest_ms, first_ms << min(attempt, _MOST_DOUBLINGS))
