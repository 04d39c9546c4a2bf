"""What must be so before a restored database serves: nobody is let in, and nothing is told, by old rows."""

from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, update

from cloud.database.schema import (
    console_sessions,
    desired_states,
    rollout_members,
    rollout_policies,
    rollouts,
)

ORDERS_APART: Final = 1000
"""So far do the numbers of orders jump: more than any register was told since the backup."""
WORDS: Final = (
    "restored from a backup; see which rollouts were stopped or returned since, then end the freeze"
)


def set_right(connection: Connection, tenant: str, now_ms: int, *, actor: str) -> bool:
    """End sessions, renumber orders, and freeze rollouts until a person has looked; whether it froze them.

    A session that was ended since the backup stays ended. An order of the backup is none that a register
    knows by its number. A rollout that failed since the backup still runs in it: frozen, it tells nobody
    anything, and may be returned.

    Args:
        connection: Of the tenant.
        tenant: The chain.
        now_ms: Now.
        actor: Who restores.
    """
    connection.execute(delete(console_sessions).where(console_sessions.c.tenant == tenant))
    for table in (desired_states, rollout_members):
        generation = table.c.generation
        connection.execute(
            update(table).where(table.c.tenant == tenant).values(generation=generation + ORDERS_APART)
        )
    connection.execute(
        update(desired_states)
        .where(desired_states.c.tenant == tenant)
        .values(published_generation=desired_states.c.generation)
    )
    has_rollouts = connection.execute(
        select(func.count()).select_from(rollouts).where(rollouts.c.tenant == tenant)
    ).scalar_one()
    if not has_rollouts:
        return False
    _freeze(connection, tenant, now_ms, actor)
    return True


def _freeze(connection: Connection, tenant: str, now_ms: int, actor: str) -> None:
    """Over a freeze that was there already: this one has to be ended for another reason."""
    frozen = {"frozen_at_ms": now_ms, "frozen_by": actor[:200], "frozen_reason": WORDS}
    mine = rollout_policies.c.tenant == tenant
    changed = connection.execute(update(rollout_policies).where(mine).values(**frozen)).rowcount
    if not changed:
        connection.execute(insert(rollout_policies).values(tenant=tenant, approval=False, **frozen))
