"""One suite over both databases: SQLite in a file, PostgreSQL with its row-level security."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from cloud.database.audit_log import write_audit
from cloud.database.engine import Database, open_database
from cloud.database.migrate import head
from cloud.database.schema import audit, metadata, quarantine, registers, tenants, withdrawals
from cloud.database.schema_version import CLOUD
from cloud.database.tenancy import add_tenant, read_tenant
from cloud.errors import DatabaseAway, DatabaseNotMigrated
from tests.builders.cloud_database import (
    NOW_MS,
    add_tenants,
    postgres_service,
    some_tenant,
    sqlite_database,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders.postgres import PostgresCluster, PostgresDatabase


@pytest.fixture(scope="module")
def postgres(postgres_cluster: PostgresCluster) -> Iterator[PostgresDatabase]:
    with postgres_cluster.fresh_database() as made:
        yield made


@pytest.fixture(scope="module")
def prepared(postgres: PostgresDatabase) -> Iterator[Database]:
    """Set up once: emptying tables is faster than making them."""
    with postgres_service(postgres) as made:
        yield made


@pytest.fixture
def empty_postgres(postgres: PostgresDatabase, prepared: Database) -> Iterator[Database]:
    yield prepared
    tables = ", ".join(table.name for table in metadata.sorted_tables)
    with open_database(postgres.owner_url) as owner, owner.system() as connection:
        connection.execute(text(f"TRUNCATE {tables}"))
        connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": head(CLOUD)})


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "postgres":
        yield request.getfixturevalue("empty_postgres")
        return
    with sqlite_database(tmp_path) as made:
        yield made


def test_the_migrations_make_the_tables_that_the_code_names(database: Database) -> None:
    """Alembic finds nothing to change between `schema` and a database that was migrated from nothing."""
    with database.system() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        difference = compare_metadata(context, metadata)
    assert difference == [], "write the next one: python -m cloud.database.make_revision 0002 MESSAGE"


def test_a_database_that_is_set_up_passes_the_check(database: Database) -> None:
    database.check()


def test_a_tenant_reads_what_it_wrote(database: Database) -> None:
    add_tenants(database, "gelato")
    with database.tenant("gelato", read_only=True) as connection:
        assert read_tenant(connection, "gelato") == some_tenant("gelato")


def test_tenants_are_listed_across_tenants(database: Database) -> None:
    """Services that serve every tenant learn which there are, and a later transaction sees its own alone."""
    add_tenants(database, "gelato", "bianca")
    assert database.tenants() == ["bianca", "gelato"]
    with database.tenant("gelato", read_only=True) as connection:
        statement = select(tenants.c.tenant).where(tenants.c.tenant == "gelato")
        assert connection.execute(statement).scalars().all() == ["gelato"]


def test_what_raises_is_rolled_back(database: Database) -> None:
    def fail() -> None:
        with database.tenant("gelato") as connection:
            add_tenant(connection, some_tenant("gelato"))
            raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        fail()
    assert database.tenants() == []


def test_a_constraint_is_not_mistaken_for_an_absent_database(database: Database) -> None:
    add_tenants(database, "gelato")
    with pytest.raises(IntegrityError):
        add_tenants(database, "gelato")


def test_a_read_only_transaction_refuses_to_write(database: Database) -> None:
    add_tenants(database, "gelato")
    with pytest.raises((DatabaseAway, DBAPIError)), database.tenant("gelato", read_only=True) as connection:
        connection.execute(update(tenants).where(tenants.c.tenant == "gelato").values(name="other"))
    with database.tenant("gelato", read_only=True) as connection:
        assert read_tenant(connection, "gelato") == some_tenant("gelato")


@pytest.mark.parametrize("name", ["", "A", "a/b", "a'; --", "-", "x" * 33])
def test_what_is_no_tenant_opens_no_transaction(database: Database, name: str) -> None:
    """T7: a tenant's name that could not stand in a topic does not reach the database."""
    with pytest.raises(ValueError, match="not a tenant"), database.tenant(name):
        pass


def test_bytes_and_json_come_back_as_they_were(database: Database) -> None:
    every_byte = bytes(range(256))
    with database.tenant("gelato") as connection:
        connection.execute(
            insert(quarantine).values(
                tenant="gelato",
                register="till-1",
                message_id=every_byte[:16],
                sha256=every_byte[:32],
                at_ms=NOW_MS,
                error="é\u2028",
                message=every_byte,
            )
        )
        write_audit(
            connection,
            "gelato",
            NOW_MS,
            actor="operator:ada",
            action="x.y",
            subject="s",
            detail={"ö": [1, None, 2**53 - 1]},
        )
    with database.tenant("gelato", read_only=True) as connection:
        assert connection.execute(select(quarantine.c.message, quarantine.c.error)).one() == (
            every_byte,
            "é\u2028",
        )
        assert connection.execute(select(audit.c.detail)).scalar_one() == {"ö": [1, None, 2**53 - 1]}


def test_consume_once_is_one_statement_among_threads(database: Database) -> None:
    """Of 8 threads that race for a row with UPDATE … RETURNING, one gets it; none fails for another."""
    add_tenants(database, "gelato")
    with database.tenant("gelato") as connection:
        connection.execute(
            insert(withdrawals).values(
                tenant="gelato", consent=b"c" * 16, source="customer", withdrawn_at_ms=1, received_at_ms=1
            )
        )
    start, won = threading.Barrier(8), []

    def take(number: int) -> None:
        start.wait()
        with database.tenant("gelato") as connection:
            statement = (
                update(withdrawals)
                .where(withdrawals.c.tenant == "gelato", withdrawals.c.key_destroyed_at_ms.is_(None))
                .values(key_destroyed_at_ms=number)
                .returning(withdrawals.c.key_destroyed_at_ms)
            )
            won.extend(connection.execute(statement).scalars().all())

    threads = [threading.Thread(target=take, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_many_writers_lose_nothing(database: Database) -> None:
    """8 threads of 10 transactions each, read and write: SQLite's lock is taken at BEGIN, so none fails."""
    add_tenants(database, "gelato")

    def add(number: int) -> None:
        for step in range(10):
            with database.tenant("gelato") as connection:
                connection.execute(select(func.count()).select_from(registers)).scalar_one()
                connection.execute(
                    insert(registers).values(
                        tenant="gelato",
                        register=f"till-{number}-{step}",
                        store="s",
                        state="invited",
                        created_at_ms=NOW_MS,
                    )
                )

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.tenant("gelato", read_only=True) as connection:
        assert connection.execute(select(func.count()).select_from(registers)).scalar_one() == 80


def test_a_newer_database_is_refused(database: Database, request: pytest.FixtureRequest) -> None:
    """Neither the check nor set-up touches tables whose revision this version does not know."""
    owner = database
    if not database.is_sqlite:
        owner = open_database(request.getfixturevalue("postgres").owner_url)
    with owner.system() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for act in (database.check, owner.migrate):
        with pytest.raises(DatabaseNotMigrated, match="9999"):
            act()
    owner.close()
