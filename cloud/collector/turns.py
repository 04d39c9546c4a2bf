"""Tenants in turn: one queue each, bounded, so that who floods waits behind itself alone."""

from collections import OrderedDict, deque
from typing import Final, Generic, TypeVar

T = TypeVar("T")

COMPANY_MS: Final = 10_000
"""A tenant that has sent within this time shares the collector with the others."""


class Company:
    """Whether a tenant has the collector to itself: then all of its room is its own."""

    def __init__(self) -> None:
        self._latest = ""
        self._latest_ms = 0
        self._other_ms: int | None = None
        """When a message of another tenant than the latest came last."""

    def shared(self, tenant: str, now_ms: int) -> bool:
        """Note a message of a tenant, and say whether another has sent lately."""
        if tenant != self._latest:
            self._other_ms = self._latest_ms if self._latest else None
            self._latest = tenant
        self._latest_ms = now_ms
        return self._other_ms is not None and now_ms - self._other_ms < COMPANY_MS


class Turns(Generic[T]):
    """Queues by tenant; `take` serves them round robin.

    Args:
        per_tenant: Items that one tenant may have waiting.
    """

    def __init__(self, per_tenant: int) -> None:
        self._per_tenant = per_tenant
        self._queues: OrderedDict[str, deque[T]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, tenant: str, item: T, *, bounded: bool = True) -> bool:
        """Queue an item; False where the tenant's queue is full and `bounded`."""
        queue = self._queues.setdefault(tenant, deque())
        if bounded and len(queue) >= self._per_tenant:
            return False
        queue.append(item)
        self._count += 1
        return True

    def take(self, most: int) -> tuple[str, list[T]]:
        """The tenant whose turn it is, and up to `most` of its items; raises LookupError where none waits."""
        tenant, queue = next(iter(self._queues.items()), ("", None))
        if queue is None:
            raise LookupError("nothing waits")
        items = [queue.popleft() for _ in range(min(most, len(queue)))]
        del self._queues[tenant]
        if queue:
            self._queues[tenant] = queue  # to the end of the round
        self._count -= len(items)
        return tenant, items
