"""Adding a chain: its service keys, its row, and the record of it."""

from collections.abc import Sequence

from sqlalchemy import Connection

from cloud.config import CloudConfig
from cloud.database.audit_log import write_audit
from cloud.database.engine import Database, open_database
from cloud.database.tenancy import (
    ServiceKey,
    Tenant,
    add_service_key,
    add_tenant,
    read_service_keys,
    read_tenant,
)
from cloud.database.tills import add_public_api
from cloud.enrolment.errors import RegisterExists
from cloud.errors import TenantExists, UnknownTenant
from cloud.operations.setup import SetUp
from cloud.service_keys import Purpose, ServiceKeyFolder


def create_tenant(database: Database, config: CloudConfig, tenant: Tenant, *, actor: str) -> list[ServiceKey]:
    """Add a chain; its service keys are durable before its row is.

    A run that was cut off between the two is completed by the next.

    Raises:
        TenantExists: It was added before.
        DatabaseAway: The database does not answer; run it again.
    """
    with database.tenant(tenant.tenant, read_only=True) as connection:
        _refuse_known(read_tenant(connection, tenant.tenant))
    folder = ServiceKeyFolder(config.state_dir)
    keys = [
        ServiceKey(purpose, folder.make(tenant.tenant, purpose).verification_key, tenant.created_at_ms, None)
        for purpose in Purpose
    ]
    with database.tenant(tenant.tenant) as connection:
        _refuse_known(read_tenant(connection, tenant.tenant))
        add_tenant(connection, tenant)
        for key in keys:
            add_service_key(connection, tenant.tenant, key)
        _let_public_api_sign(connection, tenant.tenant, keys, tenant.created_at_ms)
        write_audit(
            connection,
            tenant.tenant,
            tenant.created_at_ms,
            actor=actor,
            action="tenant.added",
            subject=tenant.tenant,
        )
    return keys


def complete_keys(
    database: Database, config: CloudConfig, tenant: str, now_ms: int, *, actor: str
) -> list[ServiceKey]:
    """Make the service keys that a chain lacks, because it was added by an older version; [] where none does.

    Raises:
        UnknownTenant: No chain of that name was added.
        RegisterExists: A till has the name that is the public API's.
        ServiceKeyMissing: The state folder holds a key that cannot be used.
        DatabaseAway: The database does not answer; run it again.
    """
    _, present = known_tenant(database, tenant)
    folder = ServiceKeyFolder(config.state_dir)
    lacking = [purpose for purpose in Purpose if purpose not in {key.purpose for key in present}]
    made = [ServiceKey(one, folder.make(tenant, one).verification_key, now_ms, None) for one in lacking]
    with database.tenant(tenant) as connection:
        known = {key.purpose for key in read_service_keys(connection, tenant)}
        added = [key for key in made if key.purpose not in known]
        for key in added:
            add_service_key(connection, tenant, key)
        _let_public_api_sign(connection, tenant, read_service_keys(connection, tenant), now_ms)
        if added:
            write_audit(
                connection,
                tenant,
                now_ms,
                actor=actor,
                action="tenant.keys-made",
                subject=tenant,
                detail={"purposes": [str(key.purpose) for key in added]},
            )
    return added


def complete_chains(setup: SetUp) -> str:
    """The step of `topscoop cloud setup` that gives older chains what new ones have."""
    made = []
    with open_database(setup.config.database_url) as database:
        for tenant in database.tenants():
            try:
                keys = complete_keys(database, setup.config, tenant, setup.now_ms, actor="setup")
            except RegisterExists as error:  # of this chain alone; the others are not kept waiting
                made.append(f"{tenant}: no public API, for {error}")
                continue
            made += [f"{tenant}: made a key for {key.purpose}" for key in keys]
    return "; ".join(made) or "every chain has its keys"


def known_tenant(database: Database, tenant: str) -> tuple[Tenant, list[ServiceKey]]:
    """A chain and its service keys.

    Raises:
        UnknownTenant: No chain of that name was added.
    """
    with database.tenant(tenant, read_only=True) as connection:
        found = read_tenant(connection, tenant)
        if found is None:
            raise UnknownTenant(
                f"no chain is called {tenant!r}", remedy="`topscoop cloud tenant list` names them all."
            )
        return found, read_service_keys(connection, tenant)


def _let_public_api_sign(
    connection: Connection, tenant: str, keys: Sequence[ServiceKey], now_ms: int
) -> None:
    (key,) = [one.key for one in keys if one.purpose == Purpose.INTAKE and one.valid_until_ms is None]
    try:
        add_public_api(connection, tenant, key, now_ms)
    except ValueError as error:
        raise RegisterExists(
            str(error), remedy="This chain can have no public API: the name of a till is used up for ever."
        ) from error


def _refuse_known(found: Tenant | None) -> None:
    if found is not None:
        raise TenantExists(
            f"the chain {found.tenant!r} was added before",
            remedy=f"`topscoop cloud tenant show {found.tenant}` says what it has.",
        )
