"""What PostgreSQL itself keeps apart, whatever a service's statement forgets; on the real server only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, ProgrammingError

from cloud.database.audit_log import write_audit
from cloud.database.engine import Database, open_database
from cloud.database.schema import TENANT_TABLES, audit, registers, tenants
from tests.builders.cloud_database import NOW_MS, add_tenants, postgres_service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from tests.builders.postgres import PostgresCluster, PostgresDatabase

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def postgres(postgres_cluster: PostgresCluster) -> Iterator[PostgresDatabase]:
    with postgres_cluster.fresh_database() as made:
        yield made


@pytest.fixture(scope="module")
def database(postgres: PostgresDatabase) -> Iterator[Database]:
    """Two chains with one register each; the tests change neither."""
    with postgres_service(postgres) as made:
        add_tenants(made, "gelato", "bianca")
        for tenant in ("gelato", "bianca"):
            with made.tenant(tenant) as connection:
                connection.execute(insert(registers).values(**_register(tenant)))
        yield made


def _register(tenant: str) -> dict[str, object]:
    return {
        "tenant": tenant,
        "register": "till-1",
        "store": "s",
        "state": "invited",
        "created_at_ms": NOW_MS,
    }


def _seen(connection: Connection) -> list[str]:
    return list(connection.execute(select(registers.c.tenant).order_by(registers.c.tenant)).scalars())


def test_a_statement_without_a_tenant_sees_its_own_alone(database: Database) -> None:
    """T7: a repository method that forgets `WHERE tenant = …` shows no other chain."""
    with database.tenant("gelato", read_only=True) as connection:
        assert _seen(connection) == ["gelato"]
        assert connection.execute(select(tenants.c.tenant)).scalars().all() == ["gelato"]


def test_nobody_is_seen_outside_of_a_tenants_transaction(database: Database) -> None:
    """T7: no tenant set, no rows, in any table."""
    with database.system(read_only=True) as connection:
        for table in TENANT_TABLES:
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0, table.name


def test_another_chains_rows_can_be_neither_changed_nor_deleted(database: Database) -> None:
    """T7: not even by a statement that names them."""
    with database.tenant("gelato") as connection:
        others = registers.c.tenant == "bianca"
        changed = connection.execute(update(registers).where(others).values(state="revoked"))
        deleted = connection.execute(delete(registers).where(others))
        assert (changed.rowcount, deleted.rowcount) == (0, 0)
    with database.tenant("bianca", read_only=True) as connection:
        assert connection.execute(select(registers.c.state)).scalars().all() == ["invited"]


def test_rows_cannot_be_written_for_another_chain(database: Database) -> None:
    """T7: neither inserted nor moved there."""

    def write() -> None:
        with database.tenant("gelato") as connection:
            connection.execute(insert(registers).values(**_register("bianca") | {"register": "till-2"}))

    def move() -> None:
        with database.tenant("gelato") as connection:
            connection.execute(update(registers).values(tenant="bianca", register="till-2"))

    for act in (write, move):
        with pytest.raises(ProgrammingError, match="row-level security"):
            act()


def test_the_tenant_does_not_leak_to_the_next_checkout(database: Database) -> None:
    """T7: with one pooled connection, what a committed or broken transaction set is gone in the next."""
    pooled = Database(database.url.render_as_string(hide_password=False), pool_size=1)

    def backend() -> tuple[int, int, str]:
        statement = text(
            "SELECT pg_backend_pid(), count(*), current_setting('app.tenant', true) FROM tenants"
        )
        with pooled.system(read_only=True) as connection:
            process, count, tenant = connection.execute(statement).one()
            return process, count, tenant

    with pooled.tenant("gelato") as connection:
        one = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    assert backend() == (one, 0, "")

    def fail() -> None:
        with pooled.tenant("gelato") as connection:
            connection.execute(text("SELECT 1 / 0"))

    with pytest.raises(DBAPIError):
        fail()
    assert backend() == (one, 0, "")
    assert pooled.tenants() == ["bianca", "gelato"]
    assert backend() == (one, 0, "")
    pooled.close()


def test_every_table_with_a_tenant_is_protected(database: Database) -> None:
    """No table of a later migration is forgotten: each forces row-level security and has our policy."""
    protected = text("""
        SELECT relname FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid
        WHERE relrowsecurity AND relforcerowsecurity AND polname = 'own_tenant' AND polwithcheck IS NOT NULL
    """)
    with database.system(read_only=True) as connection:
        found = set(connection.execute(protected).scalars())
    assert found == {table.name for table in TENANT_TABLES}


def test_listing_is_for_reading_only(database: Database) -> None:
    """Who lists the chains reads that one table; it changes nothing there and sees nothing else."""
    with database.system() as connection:
        connection.execute(text("SELECT set_config('app.listing', 'tenants', true)"))
        assert connection.execute(select(func.count()).select_from(tenants)).scalar_one() == 2
        assert connection.execute(update(tenants).values(name="mine")).rowcount == 0
        assert connection.execute(delete(tenants)).rowcount == 0
        assert _seen(connection) == []


def test_the_audit_can_be_added_to_and_not_changed(database: Database) -> None:
    """T26: a service that was taken over cannot tidy up behind itself."""
    with database.tenant("gelato") as connection:
        write_audit(connection, "gelato", NOW_MS, actor="operator:ada", action="frame.opened", subject="f")

    def change() -> None:
        with database.tenant("gelato") as connection:
            connection.execute(update(audit).values(actor="nobody"))

    def remove() -> None:
        with database.tenant("gelato") as connection:
            connection.execute(delete(audit))

    def empty() -> None:
        with database.tenant("gelato") as connection:
            connection.execute(text("TRUNCATE audit"))

    for act in (change, remove, empty):
        with pytest.raises(ProgrammingError, match="permission denied"):
            act()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE frames DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_tenant ON frames",
        "CREATE TABLE stolen AS SELECT * FROM frames",
        "UPDATE alembic_version SET version_num = '9999'",
    ],
)
def test_a_service_cannot_loosen_its_bonds(database: Database, statement: str) -> None:
    """T7: the services' role may neither change tables and policies nor make some."""

    def act() -> None:
        with database.tenant("gelato") as connection:
            connection.execute(text(statement))

    with pytest.raises(ProgrammingError, match=r"must be owner|permission denied"):
        act()


def test_the_owner_is_bound_too(database: Database, postgres: PostgresDatabase) -> None:
    """T7: a migration or a person with the owner's role sees rows only after naming a tenant."""
    with open_database(postgres.owner_url) as owner, owner.system(read_only=True) as connection:
        assert _seen(connection) == []
        owner.enter(connection, "bianca")
        assert _seen(connection) == ["bianca"]
