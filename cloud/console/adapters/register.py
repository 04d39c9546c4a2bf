"""Reads all that is known of one register, and changes the groups that it is in."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from cloud.console.adapters.fleet import JOINED, attention_tests, presence_of
from cloud.console.errors import BadQuery, NotFound
from cloud.console.views.fleet import Attention, Presence
from cloud.console.views.register import Certificate, Membership, RegisterFacts
from cloud.database.audit_log import write_audit
from cloud.database.schema import (
    certificates,
    desired_states,
    refusals,
    register_groups,
    register_health,
    registers,
    releases,
    rollout_members,
    rollouts,
)
from cloud.database.tills import IS_TILL
from cloud.principal import Principal, Role
from cloud.rollout.values import MemberState, State
from wire_protocol.identifiers import is_name

GROUPS_MAX = 16
"""Groups of one register: a person has to keep an overview."""
_SHOWN = 20


def read_register(connection: Connection, principal: Principal, register: str, now_ms: int) -> RegisterFacts:
    """One register of the principal's chain.

    Raises:
        NotFound: The chain has none of that name.
    """
    unknown = NotFound(
        f"there is no register {register[:32]!r} in this chain", remedy="Look for it in the fleet."
    )
    if not is_name(register):
        raise unknown
    tenant = principal.tenant
    reg, health, desired = registers.c, register_health.c, desired_states.c
    tests = attention_tests(now_ms)
    statement = (
        select(
            registers,
            presence_of(now_ms).label("presence"),
            *(test.label(f"is_{one}") for one, test in tests.items()),
            health.received_at_ms,
            health.online_since_ms,
            health.running_release,
            health.running_digest,
            health.generation.label("known_generation"),
            health.report.label("newest_report"),
            desired.generation,
            desired.release,
            desired.digest,
            desired.set_at_ms,
            desired.rollout,
        )
        .select_from(JOINED)
        .where(reg.tenant == tenant, reg.register == register, IS_TILL)
    )
    row = connection.execute(statement).first()
    if row is None:
        raise unknown
    budget, flavours = _release(connection, tenant, row.running_release)
    found = row._mapping  # noqa: SLF001 - SQLAlchemy's name for it
    return RegisterFacts(
        register=register,
        store=row.store,
        state=row.state,
        created_at_ms=row.created_at_ms,
        enrolled_at_ms=row.enrolled_at_ms,
        revoked_at_ms=row.revoked_at_ms,
        presence=Presence(row.presence),
        attention=tuple(one for one in Attention if row.state == "enrolled" and found[f"is_{one}"]),
        received_at_ms=row.received_at_ms,
        online_since_ms=row.online_since_ms,
        running_release=row.running_release,
        running_digest=row.running_digest,
        budget_p99_ms=budget,
        desired_known=row.generation is not None,
        desired_release=row.release,
        desired_digest=row.digest,
        desired_at_ms=row.set_at_ms,
        desired_generation=row.generation,
        desired_rollout=row.rollout,
        generation=row.known_generation,
        report=row.newest_report or {},
        groups=tuple(_groups(connection, tenant, register)),
        certificates=tuple(_certificates(connection, tenant, register)),
        memberships=tuple(_memberships(connection, tenant, register)),
        refusals=tuple(_refusals(connection, tenant, register)),
        flavours=flavours,
    )


def join_group(connection: Connection, principal: Principal, register: str, group: str, now_ms: int) -> None:
    """Put a register into a group; where it is, it stays.

    Raises:
        NotAllowed: Less than an operator.
        BadQuery: No name of a group, or too many groups.
        NotFound: No such register.
    """
    principal.require(Role.OPERATOR)
    if not is_name(group):
        raise BadQuery("a group's name has 1 to 32 of a-z, 0-9 and inner hyphens", remedy="Choose another.")
    _known(connection, principal, register)
    present = _groups(connection, principal.tenant, register)
    if group in present:
        return
    if len(present) >= GROUPS_MAX:
        raise BadQuery(f"a register is in {GROUPS_MAX} groups at most", remedy="Leave another one first.")
    connection.execute(
        insert(register_groups).values(tenant=principal.tenant, register=register, group=group)
    )
    write_audit(
        connection,
        principal.tenant,
        now_ms,
        actor=f"operator:{principal.name}",
        action="register.group_joined",
        subject=register,
        detail={"group": group},
    )


def leave_group(connection: Connection, principal: Principal, register: str, group: str, now_ms: int) -> None:
    """Take a register out of a group; a rollout that has begun keeps it in its stage.

    Raises:
        NotAllowed: Less than an operator.
        BadQuery: No name of a group.
        NotFound: No such register.
    """
    principal.require(Role.OPERATOR)
    _known(connection, principal, register)
    if not is_name(group):
        raise BadQuery("no group is called that", remedy="Load the page again.")
    row = register_groups.c
    gone = connection.execute(
        delete(register_groups).where(
            row.tenant == principal.tenant, row.register == register, row.group == group
        )
    )
    if gone.rowcount:
        write_audit(
            connection,
            principal.tenant,
            now_ms,
            actor=f"operator:{principal.name}",
            action="register.group_left",
            subject=register,
            detail={"group": group},
        )


def _known(connection: Connection, principal: Principal, register: str) -> None:
    row = registers.c
    statement = select(func.count()).where(row.tenant == principal.tenant, row.register == register, IS_TILL)
    if not is_name(register) or not connection.execute(statement).scalar_one():
        raise NotFound("there is no such register in this chain", remedy="Look for it in the fleet.")


def _groups(connection: Connection, tenant: str, register: str) -> list[str]:
    row = register_groups.c
    statement = select(row.group).where(row.tenant == tenant, row.register == register).order_by(row.group)
    return list(connection.execute(statement).scalars())


def _certificates(connection: Connection, tenant: str, register: str) -> list[Certificate]:
    row = certificates.c
    statement = (
        select(row.serial, row.not_before_ms, row.not_after_ms, row.revoked_at_ms)
        .where(row.tenant == tenant, row.register == register)
        .order_by(row.not_before_ms.desc())
        .limit(_SHOWN)
    )
    return [Certificate(*one) for one in connection.execute(statement)]


def _memberships(connection: Connection, tenant: str, register: str) -> list[Membership]:
    row = rollout_members.c
    statement = (
        select(
            row.rollout,
            rollouts.c.release,
            rollouts.c.state,
            row.stage,
            row.state,
            row.told_at_ms,
            row.changed_at_ms,
            row.reason,
        )
        .join(rollouts, (rollouts.c.tenant == row.tenant) & (rollouts.c.rollout == row.rollout))
        .where(row.tenant == tenant, row.register == register)
        .order_by(row.rollout.desc())
        .limit(_SHOWN)
    )
    return [
        Membership(rollout, release, State(whole), stage, MemberState(state), told, changed, reason)
        for rollout, release, whole, stage, state, told, changed, reason in connection.execute(statement)
    ]


def _refusals(connection: Connection, tenant: str, register: str) -> list[tuple[str, str, int]]:
    row = refusals.c
    statement = (
        select(row.day, row.reason, row.count)
        .where(row.tenant == tenant, row.register == register)
        .order_by(row.day.desc(), row.reason)
        .limit(_SHOWN)
    )
    return [(day, reason, number) for day, reason, number in connection.execute(statement)]


def _release(
    connection: Connection, tenant: str, release: int | None
) -> tuple[float | None, tuple[str, ...]]:
    """The p99 that a release may take, and the names of its flavours by index."""
    statement = select(releases.c.budget_p99_ms, releases.c.manifest).where(
        releases.c.tenant == tenant, releases.c.release == release
    )
    row = connection.execute(statement).first()
    if row is None:
        return None, ()
    return row.budget_p99_ms, flavour_names(row.manifest)


def flavour_names(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """The flavours' names in English, else their ids; none of what is no manifest."""
    listed = manifest.get("flavours")
    return tuple(
        str((one.get("names") or {}).get("en") or one.get("id") or "")
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict)
    )
