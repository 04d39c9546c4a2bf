"""Whose jobs come next: tenants take turns, so that a flood of one delays no other (threat T27). Pure."""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def in_turn(tenants: Sequence[str], last: str) -> list[str]:
    """The tenants, beginning with the one after `last`, who was served last.

    Args:
        tenants: Those with something to do, sorted.
        last: Need not be among them; empty at first.
    """
    later = [tenant for tenant in tenants if tenant > last]
    return later + [tenant for tenant in tenants if tenant <= last]


def share(turn: Sequence[str], limit: int, take: Callable[[str, int], Sequence[T]]) -> tuple[list[T], str]:
    """Up to `limit` things, evenly over the tenants; what one leaves goes to those who have more.

    Args:
        turn: Tenants with something to do, in their turn.
        limit: For all of them together; where it is less than there are tenants, the last ones come next.
        take: Hands over up to so many things of a tenant.

    Returns:
        The things, and the tenant after whom the next turn begins.
    """
    taken: list[T] = []
    served = ""
    hungry = list(turn)
    while hungry and len(taken) < limit:
        portion = max(1, (limit - len(taken)) // len(hungry))
        first, still = len(hungry) == len(turn), []
        for tenant in hungry:
            wanted = min(portion, limit - len(taken))
            if not wanted:
                break
            found = take(tenant, wanted)
            taken.extend(found)
            served = tenant if first else served
            if len(found) == wanted:
                still.append(tenant)
        hungry = still
    return taken, served
