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
from cloud.rollout.membership import Till, joining
from cloud.rollout.values import (
    OPEN,
    Member,
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
from cloud.rollout.withdrawals import Barred, read_away, read_barred, write_away
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
        barred = read_barred(connection, tenant)
        decisions = _decisions(connection, tenant, policy, barred, now_ms)
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
    ticked.told += _order_away(database, tenant, barred, digests, now_ms)
    return ticked


def _order_away(
    database: Database, tenant: str, barred: Mapping[int, Barred], digests: Mapping[int, str], now_ms: int
) -> int:
    """Whoever runs what was withdrawn is told, in a frozen chain, too; after the rollouts' own decisions."""
    if not barred:
        return 0
    with database.tenant(tenant, read_only=True) as connection:
        away = read_away(connection, tenant, barred, digests, now_ms)
    if not away:
        return 0
    with database.tenant(tenant) as connection:
        return write_away(connection, tenant, away, barred, now_ms)


def _same_policy(connection: Connection, tenant: str, policy: Policy) -> None:
    """Who froze or stopped the chain meanwhile, or will before this ends, is not overtaken."""
    if rows.read_policy(connection, tenant, hold=True) != policy:
        raise RolloutChanged("the chain's policy changed")


def _decisions(
    connection: Connection, tenant: str, policy: Policy, barred: Mapping[int, Barred], now_ms: int
) -> list[Decided]:
    running = rows.read_rollouts(connection, tenant, states=OPEN, limit=1000)
    present = _present(rows.read_rollouts(connection, tenant, states=[State.DONE]))
    if not running and present is None:
        return []
    clocks: Mapping[str, StoreClock] = {}
    if any(needs_clock(rollout.plan) for rollout in (*running, *([present] if present else []))):
        clocks = rows.read_clocks(connection, tenant, now_ms)
    why = {release: one.words for release, one in barred.items()}
    around = Surroundings(now_ms, rows.read_may_run(connection, tenant), policy, clocks, why)
    known = rows.read_members_of(connection, tenant, [rollout.rollout for rollout in running])
    held = [member for members, _ in known.values() for member in members]
    newcomers = _Newcomers(connection, tenant, held)
    decisions = []
    for rollout in running:
        members, evidence = known.get(rollout.rollout, ([], {}))
        joined = newcomers.of(rollout, members) if rollout.state is not State.RETURNING else []
        actions = () if joined else decide(rollout, members, evidence, around)
        decisions.append(Decided(rollout, actions, joined, evidence))
    if present is not None:
        decisions.append(_go_on(connection, present, newcomers, around))
    return decisions


class _Newcomers:
    """Registers that were enrolled after a rollout began; who joins is written first, and then decided on.

    Args:
        connection: Of the tenant.
        tenant: The chain.
        held: Members of all open rollouts.
    """

    def __init__(self, connection: Connection, tenant: str, held: Sequence[Member]) -> None:
        self._connection = connection
        self._tenant = tenant
        self._tills = rows.read_tills(connection, tenant)
        names = {member.register for member in held}
        self._told = {member.register for member in held if member.state is not MemberState.WAITING}
        self._free = [till for till in self._tills if till.register not in names]

    def of(self, rollout: Rollout, members: Sequence[Member]) -> list[Member]:
        """Who joins an open rollout: nobody that another one holds."""
        joined = self._joining(rollout, members, self._free)
        names = {member.register for member in joined}
        self._free = [till for till in self._free if till.register not in names] if names else self._free
        return joined

    def of_done(self, rollout: Rollout) -> list[Member]:
        """Who gets the release of one that is done, even while waiting for another one."""
        theirs = rows.read_member_names(self._connection, self._tenant, rollout.rollout) | self._told
        late = [till for till in self._tills if till.register not in theirs]
        if not late:
            return []
        members, _ = rows.read_members(self._connection, self._tenant, rollout.rollout)
        return self._joining(rollout, members, late)

    def _joining(self, rollout: Rollout, members: Sequence[Member], late: Sequence[Till]) -> list[Member]:
        if not late:
            return []
        return joining(rollout, members, late, rows.read_groups(self._connection, self._tenant))


def _go_on(connection: Connection, rollout: Rollout, newcomers: _Newcomers, around: Surroundings) -> Decided:
    """The chain's present release: of its rollout only those are looked at who may still change."""
    joined = newcomers.of_done(rollout)
    if joined:
        return Decided(rollout, (), joined, {})
    known = rows.read_members_of(connection, rollout.tenant, [rollout.rollout], states=_OF_DONE)
    members, evidence = known.get(rollout.rollout, ([], {}))
    return Decided(rollout, decide(rollout, members, evidence, around), (), evidence)


def _present(done: Sequence[Rollout]) -> Rollout | None:
    """The newest rollout that went through the whole chain: later registers get its release."""
    whole = [rollout for rollout in done if not rollout.plan.stores]
    return max(whole, key=lambda rollout: rollout.started_at_ms or 0, default=None)
