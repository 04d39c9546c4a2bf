"""One look at a chain's rollouts: read, decide, write. Idempotent; several controllers may do it at once.

Reading is one snapshot and takes no lock. Each decision is one transaction, guarded by the rollout's
revision and by the policy that it was made under: where either changed meanwhile, nothing of it is written,
and the next look decides anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from cloud.database.engine import Database
from cloud.rollout import rows
from cloud.rollout.decide import decide
from cloud.rollout.errors import RolloutChanged
from cloud.rollout.membership import joining
from cloud.rollout.values import (
    OPEN,
    MemberState,
    Move,
    Policy,
    Rollout,
    State,
    StoreClock,
    Surroundings,
    Tell,
)
from cloud.rollout.windows import needs_clock
from cloud.rollout.writes import Decided, write_decision, write_joined

_OF_DONE: Final = (MemberState.WAITING, MemberState.TOLD)
"""Members of a rollout that is done which may still change."""


@dataclass(slots=True)
class Ticked:
    """What a look came to.

    Attributes:
        rollouts: That were looked at.
        told: Registers whose desired state was set.
        moves: New states and stages, by rollout.
        lost: Decisions that somebody else's change came before.
    """

    rollouts: int = 0
    told: int = 0
    moves: list[tuple[Rollout, Move]] = field(default_factory=list)
    lost: int = 0


def tick(database: Database, tenant: str, now_ms: int) -> Ticked:
    """Take one step with every rollout of a chain.

    Raises:
        DatabaseAway: Nothing of the present rollout's decision was kept; those before it were.
    """
    ticked = Ticked()
    with database.tenant(tenant, read_only=True) as connection:
        policy, digests = rows.read_policy(connection, tenant), rows.read_digests(connection, tenant)
        decisions = _decisions(connection, tenant, policy, now_ms)
    ticked.rollouts = len(decisions)
    for decided in decisions:
        if not decided.actions and not decided.joined:
            continue
        try:
            with database.tenant(tenant) as connection:
                _same_policy(connection, tenant, policy)
                if decided.joined:
                    write_joined(connection, decided.rollout, decided.joined, now_ms)
                else:
                    write_decision(connection, decided, digests, now_ms)
        except RolloutChanged:
            ticked.lost += 1
            continue
        ticked.told += sum(isinstance(action, Tell) for action in decided.actions)
        ticked.moves += [(decided.rollout, action) for action in decided.actions if isinstance(action, Move)]
    return ticked


def _same_policy(connection: Connection, tenant: str, policy: Policy) -> None:
    """Who froze or stopped the chain meanwhile, or will before this ends, is not overtaken."""
    if rows.read_policy(connection, tenant, hold=True) != policy:
        raise RolloutChanged("the chain's policy changed")


def _decisions(connection: Connection, tenant: str, policy: Policy, now_ms: int) -> list[Decided]:
    looked_at = rows.read_rollouts(connection, tenant, states=OPEN, limit=1000)
    present = _present(rows.read_rollouts(connection, tenant, states=[State.DONE]))
    looked_at += [] if present is None else [present]
    if not looked_at:
        return []
    clocks: Mapping[str, StoreClock] = {}
    if any(needs_clock(rollout.plan) for rollout in looked_at):
        clocks = rows.read_clocks(connection, tenant, now_ms)
    around = Surroundings(now_ms, rows.read_may_run(connection, tenant), policy, clocks)
    return [_decided(connection, rollout, around) for rollout in looked_at]


def _decided(connection: Connection, rollout: Rollout, around: Surroundings) -> Decided:
    done = rollout.state is State.DONE
    members, evidence = rows.read_members(
        connection, rollout.tenant, rollout.rollout, states=_OF_DONE if done else None
    )
    late = [] if rollout.state is State.RETURNING else rows.read_late(connection, rollout.tenant, rollout)
    if late:
        groups = rows.read_groups(connection, rollout.tenant)
        if done:
            members, evidence = rows.read_members(connection, rollout.tenant, rollout.rollout)
        joined = joining(rollout, members, late, groups)
        if joined:  # is written first, and decided on at the next look
            return Decided(rollout, (), joined, evidence)
    return Decided(rollout, decide(rollout, members, evidence, around), (), evidence)


def _present(done: Sequence[Rollout]) -> Rollout | None:
    """The newest rollout that went through the whole chain: later registers get its release."""
    whole = [rollout for rollout in done if not rollout.plan.stores]
    return max(whole, key=lambda rollout: rollout.started_at_ms or 0, default=None)
