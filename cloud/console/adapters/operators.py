"""Operators: who may enter which chain, and as what."""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from cloud.database.audit_log import write_audit
from cloud.database.engine import Database
from cloud.database.schema import console_sessions, operators, tenants
from cloud.principal import Role
from wire_protocol.identifiers import uuid7

_ROW = operators.c


@dataclass(frozen=True, slots=True)
class Operator:
    """A person with a role in a chain; `issuer` and `subject` are what the identity provider calls them."""

    tenant: str
    operator: bytes
    issuer: str
    subject: str
    name: str
    role: Role
    added_at_ms: int


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain that somebody may enter."""

    tenant: str
    name: str
    role: Role


def put_operator(
    connection: Connection,
    tenant: str,
    now_ms: int,
    *,
    issuer: str,
    subject: str,
    name: str,
    role: Role,
    actor: str,
) -> Operator:
    """Add an operator, or give one that was there before this name and role."""
    found = _find(connection, tenant, issuer, subject)
    key = uuid7(now_ms, secrets.token_bytes(10)).bytes if found is None else found.operator
    if found is None:
        connection.execute(
            insert(operators).values(
                tenant=tenant,
                operator=key,
                issuer=issuer,
                subject=subject,
                name=name,
                role=role,
                added_at_ms=now_ms,
            )
        )
    else:
        connection.execute(
            update(operators)
            .where(_ROW.tenant == tenant, _ROW.operator == key)
            .values(name=name, role=role, removed_at_ms=None)
        )
    write_audit(
        connection,
        tenant,
        now_ms,
        actor=actor,
        action="operator.added",
        subject=key.hex(),
        detail={"role": role},
    )
    return Operator(tenant, key, issuer, subject, name, role, now_ms if found is None else found.added_at_ms)


def set_role(connection: Connection, operator: Operator, role: Role, now_ms: int, *, actor: str) -> None:
    """Give an operator another role; it holds from their next request on."""
    connection.execute(
        update(operators)
        .where(_ROW.tenant == operator.tenant, _ROW.operator == operator.operator)
        .values(role=role)
    )
    write_audit(
        connection,
        operator.tenant,
        now_ms,
        actor=actor,
        action="operator.role",
        subject=operator.operator.hex(),
        detail={"from": operator.role, "to": role},
    )


def remove_operator(connection: Connection, operator: Operator, now_ms: int, *, actor: str) -> None:
    """End an operator's access and sessions at once; the row stays, for the audit log's sake."""
    connection.execute(
        update(operators)
        .where(_ROW.tenant == operator.tenant, _ROW.operator == operator.operator)
        .values(removed_at_ms=now_ms)
    )
    connection.execute(
        delete(console_sessions).where(
            console_sessions.c.tenant == operator.tenant, console_sessions.c.operator == operator.operator
        )
    )
    write_audit(
        connection,
        operator.tenant,
        now_ms,
        actor=actor,
        action="operator.removed",
        subject=operator.operator.hex(),
    )


def find_operator(connection: Connection, tenant: str, issuer: str, subject: str) -> Operator | None:
    """An operator who was not removed."""
    return _find(connection, tenant, issuer, subject, present=True)


def list_operators(connection: Connection, tenant: str) -> list[Operator]:
    """A chain's operators, by name."""
    statement = (
        select(*_COLUMNS)
        .where(_ROW.tenant == tenant, _ROW.removed_at_ms.is_(None))
        .order_by(_ROW.name, _ROW.operator)
    )
    return [_operator(row) for row in connection.execute(statement)]


def chains_of(database: Database, issuer: str, subject: str) -> list[Chain]:
    """The chains that a person may enter, by name.

    Raises:
        DatabaseAway: The database does not answer.
    """
    found: list[Chain] = []
    with database.system(read_only=True) as connection:
        for tenant in database.list_tenants(connection):
            database.enter(connection, tenant)
            statement = (
                select(_ROW.tenant, tenants.c.name, _ROW.role)
                .join(tenants, tenants.c.tenant == _ROW.tenant)
                .where(
                    _ROW.tenant == tenant,
                    _ROW.issuer == issuer,
                    _ROW.subject == subject,
                    _ROW.removed_at_ms.is_(None),
                )
            )
            found += [Chain(row.tenant, row.name, Role(row.role)) for row in connection.execute(statement)]
    return sorted(found, key=lambda chain: (chain.name, chain.tenant))


_COLUMNS = (_ROW.tenant, _ROW.operator, _ROW.issuer, _ROW.subject, _ROW.name, _ROW.role, _ROW.added_at_ms)


def _find(
    connection: Connection, tenant: str, issuer: str, subject: str, *, present: bool = False
) -> Operator | None:
    statement = select(*_COLUMNS).where(_ROW.tenant == tenant, _ROW.issuer == issuer, _ROW.subject == subject)
    if present:
        statement = statement.where(_ROW.removed_at_ms.is_(None))
    row = connection.execute(statement).first()
    return None if row is None else _operator(row)


def _operator(row: tuple[object, ...]) -> Operator:
    tenant, operator, issuer, subject, name, role, added_at_ms = row
    return Operator(tenant, operator, issuer, subject, name, Role(str(role)), added_at_ms)  # type: ignore[arg-type]
