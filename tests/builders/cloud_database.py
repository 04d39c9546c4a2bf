"""Databases of the cloud for tests: a SQLite file, or a fresh PostgreSQL database with its two roles."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url

from cloud.database.engine import Database, open_database
from cloud.database.schema_version import CLOUD, Schema
from cloud.database.tenancy import Tenant, add_tenant
from cloud.operations.setup import SetUp, database, prepare_database, state_folder
from cloud.privacy.composition import set_up_keys

if TYPE_CHECKING:
    from pathlib import Path

    from cloud.config import CloudConfig
    from tests.builders.postgres import PostgresDatabase

NOW_MS = 1_795_000_000_000


def sqlite_database(folder: Path, schema: Schema = CLOUD) -> Database:
    """A set-up SQLite database in this folder; migrations run once a process, then their file is copied."""
    file = folder / f"{schema.name}.sqlite3"
    url = f"sqlite:///{file}"
    if schema.name not in _migrated:
        prepare_database(url, None, schema)
        with open_database(url, schema) as made:
            made.scrub()
        _migrated[schema.name] = file.read_bytes()
        return open_database(url, schema)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(_migrated[schema.name])
    return open_database(url, schema)


_migrated: dict[str, bytes] = {}


def service_url(postgres: PostgresDatabase) -> str:
    """The address of a service's role of its own, made with nothing but the right to log in."""
    return postgres.create_role(f"app_{secrets.token_hex(4)}")


def postgres_service(postgres: PostgresDatabase, schema: Schema = CLOUD) -> Database:
    """A set-up PostgreSQL database, as the services' role sees it."""
    url = service_url(postgres)
    prepare_database(url, postgres.owner_url, schema)
    return open_database(url, schema)


def set_up(config: CloudConfig) -> None:
    """The steps of `topscoop cloud setup` that need no S3 server."""
    for step in (state_folder, database, set_up_keys):
        step(SetUp(config, NOW_MS))


def role_of(url: str) -> str:
    """The role in an address."""
    name = make_url(url).username
    assert name is not None
    return name


def some_tenant(tenant: str) -> Tenant:
    """A chain with small quotas."""
    return Tenant(
        tenant,
        name=tenant.title(),
        created_at_ms=NOW_MS,
        frames_per_day=1000,
        bytes_per_day=10_000_000,
        messages_per_minute=600,
        retention_days=30,
    )


def add_tenants(cloud: Database, *tenants: str) -> None:
    """Add these chains, without keys."""
    for tenant in tenants:
        with cloud.tenant(tenant) as connection:
            add_tenant(connection, some_tenant(tenant))
