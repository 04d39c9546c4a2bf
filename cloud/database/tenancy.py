"""Tenants and their service keys, as statements within a tenant's transaction."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from cloud.database.schema import registers, repositories, service_keys, tenants
from cloud.database.tills import IS_TILL
from wire_protocol.keys import Algorithm, VerificationKey


@dataclass(frozen=True, slots=True)
class Tenant:
    """A chain, and what it may use."""

    tenant: str
    name: str
    created_at_ms: int
    frames_per_day: int
    bytes_per_day: int
    messages_per_minute: int
    retention_days: int


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """The public half of a service's key, and when it is good."""

    purpose: str
    key: VerificationKey
    valid_from_ms: int
    valid_until_ms: int | None


def add_tenant(connection: Connection, tenant: Tenant) -> None:
    """Add a chain that is not there."""
    connection.execute(
        insert(tenants).values({name: getattr(tenant, name) for name in Tenant.__dataclass_fields__})
    )


def read_tenant(connection: Connection, tenant: str) -> Tenant | None:
    """A chain; None where it was never added."""
    columns = [tenants.c[name] for name in Tenant.__dataclass_fields__]
    row = connection.execute(select(*columns).where(tenants.c.tenant == tenant)).first()
    return None if row is None else Tenant(*row)


def add_service_key(connection: Connection, tenant: str, key: ServiceKey) -> None:
    """Add the public half of a key."""
    connection.execute(
        insert(service_keys).values(
            tenant=tenant,
            kid=key.key.kid,
            purpose=key.purpose,
            algorithm=int(key.key.algorithm),
            public=key.key.public,
            valid_from_ms=key.valid_from_ms,
            valid_until_ms=key.valid_until_ms,
        )
    )


def read_service_keys(connection: Connection, tenant: str) -> list[ServiceKey]:
    """Every service key that a chain ever had, oldest first."""
    row = service_keys.c
    statement = (
        select(row.purpose, row.algorithm, row.public, row.valid_from_ms, row.valid_until_ms)
        .where(row.tenant == tenant)
        .order_by(row.valid_from_ms, row.purpose)
    )
    return [
        ServiceKey(purpose, VerificationKey(Algorithm(algorithm), public), start, end)
        for purpose, algorithm, public, start, end in connection.execute(statement)
    ]


def trusted_root(connection: Connection, tenant: str) -> bytes | None:
    """The root metadata that a chain's releases are believed by; None where nothing is trusted yet."""
    statement = select(repositories.c.root).where(repositories.c.tenant == tenant)
    found = connection.execute(statement).scalar_one_or_none()
    return None if found is None else bytes(found)


def count_registers(connection: Connection, tenant: str) -> dict[str, int]:
    """How many tills a chain has, by state."""
    statement = (
        select(registers.c.state, func.count())
        .where(registers.c.tenant == tenant, IS_TILL)
        .group_by(registers.c.state)
    )
    return dict(connection.execute(statement).all())
