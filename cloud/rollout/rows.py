"""What the rollout controller and its desk read, as statements within a tenant's transaction."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select

from cloud.database.schema import (
    desired_states,
    register_groups,
    register_health,
    registers,
    releases,
    repositories,
    rollout_members,
    rollout_policies,
    rollouts,
    stores,
)
from cloud.rollout.errors import PlanError, UnreadableRollout
from cloud.rollout.membership import Till
from cloud.rollout.plan_values import plan_from, windows_from
from cloud.rollout.values import (
    OPEN,
    Evidence,
    Member,
    MemberState,
    Policy,
    Rollout,
    State,
    StoreClock,
)
from wire_protocol.fleet_messages import UpdateReason, UpdateState

ENROLLED: Final = "enrolled"
_STATES: Final = {state.value: state for state in MemberState}
_UPDATES: Final = {state.value: state for state in UpdateState}
_REASONS: Final = {reason.value: reason for reason in UpdateReason}

_ROLLOUT = (
    select(rollouts, releases.c.digest, releases.c.budget_p99_ms)
    .join(releases, and_(releases.c.tenant == rollouts.c.tenant, releases.c.release == rollouts.c.release))
    .order_by(rollouts.c.created_at_ms.desc(), rollouts.c.rollout.desc())
)


# ---- rollouts ---------------------------------------------------------------------------------------------


def read_rollouts(
    connection: Connection, tenant: str, *, states: Collection[State] = tuple(State), limit: int = 200
) -> list[Rollout]:
    """The newest rollouts in these states, newest first."""
    named = [state.value for state in states]
    found = _ROLLOUT.where(rollouts.c.tenant == tenant, rollouts.c.state.in_(named)).limit(limit)
    return [_rollout(row) for row in connection.execute(found)]


def read_rollout(connection: Connection, tenant: str, rollout: bytes) -> Rollout | None:
    """One of them; None where there is none."""
    row = connection.execute(
        _ROLLOUT.where(rollouts.c.tenant == tenant, rollouts.c.rollout == rollout)
    ).first()
    return None if row is None else _rollout(row)


def _rollout(row: Row[Any]) -> Rollout:
    try:
        state, plan = State(row.state), plan_from(row.plan)
    except (ValueError, PlanError) as error:
        raise UnreadableRollout(
            f"rollout {row.rollout.hex()} of {row.tenant} cannot be read: {error}",
            remedy="A newer version wrote it: run that one, or put back a backup of this one.",
        ) from error
    return Rollout(
        tenant=row.tenant,
        rollout=row.rollout,
        revision=row.revision,
        release=row.release,
        digest=row.digest,
        budget_p99_ms=row.budget_p99_ms,
        previous=row.previous,
        state=state,
        stage=row.stage,
        plan=plan,
        baseline={kind: tuple(counts) for kind, counts in row.baseline.items()},
        reason=row.reason,
        created_by=row.created_by,
        approved_by=row.approved_by,
        created_at_ms=row.created_at_ms,
        started_at_ms=row.started_at_ms,
        stage_at_ms=row.stage_at_ms,
        ended_at_ms=row.ended_at_ms,
    )


# ---- members and what is known of them --------------------------------------------------------------------

_member, _health, _till, _desired = (
    rollout_members.c,
    register_health.c,
    registers.c,
    desired_states.c,
)
_MEMBER_COLUMNS = (
    _member.register,
    _till.store,
    _member.stage,
    _member.state,
    _member.previous,
    _member.generation,
    _member.told_at_ms,
    _member.changed_at_ms,
    _member.reason,
)
_EVIDENCE_COLUMNS = (
    _till.state.label("till_state"),
    _health.online,
    _health.online_since_ms,
    _health.received_at_ms,
    _health.generation.label("known_generation"),
    _health.running_digest,
    _health.running_release,
    _desired.release.label("desired_release"),
    _health.update_release,
    _health.update_state,
    _health.update_reason,
    _health.recommendations,
    _health.errors,
    _health.crashes,
    _health.p99_ms,
    _health.confidence,
    _health.labels,
    _health.shadow_release,
    _health.shadow_compared,
    _health.shadow_same_first,
    _health.shadow_errors,
    _health.shadow_p99_ms,
    _desired.digest.label("desired_digest"),
)


def _with_registers(columns: Iterable[ColumnElement[Any]]) -> Select[Any]:
    def same(table: Any) -> ColumnElement[bool]:
        return and_(table.c.tenant == _member.tenant, table.c.register == _member.register)

    return (
        select(*columns)
        .select_from(rollout_members)
        .join(registers, same(registers))
        .outerjoin(register_health, same(register_health))
        .outerjoin(desired_states, same(desired_states))
    )


_MEMBERS_AND_EVIDENCE = _with_registers((_member.rollout, *_MEMBER_COLUMNS, *_EVIDENCE_COLUMNS))


def read_members(
    connection: Connection, tenant: str, rollout: bytes
) -> tuple[list[Member], dict[str, Evidence]]:
    """Every member of a rollout, and what is known of each."""
    found = read_members_of(connection, tenant, [rollout])
    return found.get(rollout, ([], {}))


def read_members_of(
    connection: Connection,
    tenant: str,
    wanted: Collection[bytes],
    *,
    states: Collection[MemberState] | None = None,
) -> dict[bytes, tuple[list[Member], dict[str, Evidence]]]:
    """Members of these rollouts, and what is known of each; one statement, however many there are.

    Args:
        connection: Of the tenant.
        tenant: The chain.
        wanted: Ids of rollouts.
        states: Those in these states alone; None: every one.
    """
    found = _MEMBERS_AND_EVIDENCE.where(_member.tenant == tenant, _member.rollout.in_(wanted))
    if states is not None:
        found = found.where(_member.state.in_([state.value for state in states]))
    members: dict[bytes, tuple[list[Member], dict[str, Evidence]]] = {}
    width = 1 + len(_MEMBER_COLUMNS)
    for row in connection.execute(found):
        listed, evidence = members.setdefault(row[0], ([], {}))
        member = _member_of(row[1:width])
        listed.append(member)
        evidence[member.register] = _evidence(member.register, row[width:])
    return members


def read_member_names(connection: Connection, tenant: str, rollout: bytes) -> set[str]:
    """The registers of a rollout."""
    found = select(_member.register).where(_member.tenant == tenant, _member.rollout == rollout)
    return set(connection.execute(found).scalars())


def _member_of(values: tuple[Any, ...]) -> Member:
    register, store, stage, state, *rest = values
    return Member(register, store, stage, _STATES[state], *rest)


def _evidence(register: str, values: tuple[Any, ...]) -> Evidence:
    (
        till_state, online, since_ms, heard_at_ms, generation, digest, running, desired,
        update_release, update_state, update_reason,
        recommendations, errors, crashes, p99_ms, confidence, labels,
        shadow_release, shadow_compared, shadow_same, shadow_errors, shadow_p99_ms, desired_digest,
    ) = values  # fmt: skip
    return Evidence(
        register,
        till_state == ENROLLED,
        online,
        since_ms,
        heard_at_ms,
        generation or 0,
        digest,
        running,
        desired,
        update_release,
        # A state of a newer register that this version does not know is no evidence of anything.
        _UPDATES.get(update_state),
        _REASONS.get(update_reason),
        recommendations or 0,
        errors or 0,
        crashes or 0,
        p99_ms,
        tuple(confidence or ()),
        tuple(labels or ()),
        shadow_release,
        shadow_compared or 0,
        shadow_same or 0,
        shadow_errors or 0,
        shadow_p99_ms,
        desired_digest,
    )


# ---- the chain --------------------------------------------------------------------------------------------


def read_tills(connection: Connection, tenant: str) -> list[Till]:
    """The registers that may be told: enrolled ones."""
    found = select(_till.register, _till.store).where(_till.tenant == tenant, _till.state == ENROLLED)
    return [Till(register, store) for register, store in connection.execute(found)]


def read_held(
    connection: Connection, tenant: str, *, but: bytes, later_than_ms: int | None = None
) -> dict[str, bytes]:
    """Register -> the open rollout that holds it.

    Args:
        connection: Of the tenant.
        tenant: The chain.
        but: This rollout does not count.
        later_than_ms: Done ones count, too, if they were started later than this.
    """
    holding: ColumnElement[bool] = rollouts.c.state.in_([state.value for state in OPEN])
    if later_than_ms is not None:
        done = and_(rollouts.c.state == State.DONE.value, rollouts.c.started_at_ms > later_than_ms)
        holding = or_(holding, done)
    let_go = [MemberState.SKIPPED.value, MemberState.RETURNED.value]
    found = (
        select(_member.register, _member.rollout)
        .join(
            rollouts,
            and_(rollouts.c.tenant == _member.tenant, rollouts.c.rollout == _member.rollout),
        )
        .where(_member.tenant == tenant, _member.rollout != but, holding, _member.state.not_in(let_go))
    )
    return {register: rollout for register, rollout in connection.execute(found)}  # noqa: C416 - rows


def read_groups(connection: Connection, tenant: str) -> dict[str, set[str]]:
    """Name of a group -> its registers."""
    found = select(register_groups.c.group, register_groups.c.register).where(
        register_groups.c.tenant == tenant
    )
    groups: dict[str, set[str]] = {}
    for group, register in connection.execute(found):
        groups.setdefault(group, set()).add(register)
    return groups


def read_policy(connection: Connection, tenant: str, *, hold: bool = False) -> Policy:
    """What the chain wants of every rollout.

    Args:
        connection: Of the tenant.
        tenant: The chain.
        hold: Nobody changes it before this transaction ends.
    """
    found = select(rollout_policies).where(rollout_policies.c.tenant == tenant)
    row = connection.execute(found.with_for_update(read=True) if hold else found).first()
    if row is None:
        return Policy()
    return Policy(
        approval=row.approval,
        frozen=None if row.frozen_at_ms is None else f"{row.frozen_by}: {row.frozen_reason}",
        stopped=None if row.stopped_at_ms is None else f"{row.stopped_by}: {row.stopped_reason}",
    )


def read_may_run(connection: Connection, tenant: str) -> frozenset[int]:
    """Releases that are listed, not withdrawn and not below the floor."""
    floor = connection.execute(
        select(repositories.c.minimum_release).where(repositories.c.tenant == tenant)
    ).scalar()
    found = select(releases.c.release).where(
        releases.c.tenant == tenant,
        releases.c.withdrawn_at_ms.is_(None),
        releases.c.release >= (floor or 0),
    )
    return frozenset(connection.execute(found).scalars())


def read_digests(connection: Connection, tenant: str) -> dict[int, str]:
    """Release -> the digest of its network, also of withdrawn ones."""
    found = select(releases.c.release, releases.c.digest).where(releases.c.tenant == tenant)
    return {release: digest for release, digest in connection.execute(found)}  # noqa: C416 - rows


def read_clocks(connection: Connection, tenant: str, now_ms: int) -> Mapping[str, StoreClock]:
    """The time in each shop whose time zone is known."""
    found = select(stores.c.store, stores.c.timezone, stores.c.opening).where(stores.c.tenant == tenant)
    clocks = {}
    for store, timezone, opening in connection.execute(found):
        clock = store_clock(timezone, opening, now_ms)
        if clock is not None:
            clocks[store] = clock
    return clocks


def store_clock(timezone: str, opening: object, now_ms: int) -> StoreClock | None:
    """A shop's time; None for a time zone that nobody knows."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    local = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)
    return StoreClock(local.weekday(), local.hour * 60 + local.minute, windows_from(opening, "opening"))
