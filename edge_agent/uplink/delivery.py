"""Delivery, sans I/O: told what happened, it says what to do next."""

from collections.abc import Callable

from edge_agent.uplink.delivery_events import Action, Event
from edge_agent.uplink.delivery_policy import DeliveryPolicy


class Delivery:
    """Brings spooled messages to the collector, each until its receipt; holds no more than the window.

    Args:
        policy: Bounds and delays.
        chance: Uniform random numbers, 0 <= x < 1, for jitter.
    """

    def __init__(self, policy: DeliveryPolicy, chance: Callable[[], float]) -> None:
        self._policy = policy
        self._chance = chance

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """What to do now, in this order.

        Args:
            event: What happened; the first one is a Tick.
            now_ms: Monotonic milliseconds; steps of the wall clock do not matter here.
        """
        raise NotImplementedError
