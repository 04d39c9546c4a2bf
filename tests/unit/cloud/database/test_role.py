"""Start-up refuses a role that row-level security does not bind; on the real server only."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from cloud.database.engine import open_database
from cloud.database.schema_version import CLOUD
from cloud.errors import DatabaseAway, DatabaseNotMigrated, DatabaseRoleTooStrong, DatabaseUnprotected
from cloud.operations.setup import prepare_database
from daemon.errors import ConfigError
from tests.builders.cloud_database import add_tenants, postgres_service, role_of, service_url

if TYPE_CHECKING:
    from tests.builders.postgres import PostgresDatabase

pytestmark = pytest.mark.service


def _new_role(options: str) -> str:
    return f"strong_{options.split(' ', 1)[0].lower()}_{secrets.token_hex(4)}"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("SUPERUSER NOBYPASSRLS", "superuser"),
        ("NOSUPERUSER BYPASSRLS", "bypasses row-level security"),
        ("CREATEROLE", "makes roles"),
    ],
)
def test_a_strong_role_is_refused(postgres_database: PostgresDatabase, options: str, words: str) -> None:
    """T7: neither set-up nor start-up accepts it, and the message says which role and what to do."""
    url = postgres_database.create_role(_new_role(options), options)
    with pytest.raises(DatabaseRoleTooStrong, match=words) as refused:
        prepare_database(url, postgres_database.owner_url, CLOUD)
    assert "--owner-url" in refused.value.remedy
    with open_database(url) as database, pytest.raises(DatabaseRoleTooStrong, match=role_of(url)):
        database.check()


def test_the_owner_is_refused(postgres_database: PostgresDatabase) -> None:
    """T7: who owns the tables could switch row-level security off."""
    postgres_service(postgres_database).close()
    with (
        open_database(postgres_database.owner_url) as owner,
        pytest.raises(DatabaseRoleTooStrong, match="owns the table"),
    ):
        owner.check()


def test_a_member_of_a_strong_role_is_refused(postgres_database: PostgresDatabase) -> None:
    """T7: `SET ROLE` would make it that role."""
    service = postgres_service(postgres_database)
    strong = role_of(postgres_database.create_role(_new_role("BYPASSRLS"), "BYPASSRLS"))
    with postgres_database.cluster.connect(postgres_database.name) as connection:
        connection.execute(f'GRANT "{strong}" TO "{service.url.username}"'.encode())
    with pytest.raises(DatabaseRoleTooStrong, match=strong):
        service.check()
    service.close()


def test_a_table_without_row_level_security_is_refused(postgres_database: PostgresDatabase) -> None:
    """T7: somebody switched it off, or no longer forces it."""
    service = postgres_service(postgres_database)
    owner = open_database(postgres_database.owner_url)
    for table, statement in (
        ("frames", "ALTER TABLE frames DISABLE ROW LEVEL SECURITY"),
        ("consents", "ALTER TABLE consents NO FORCE ROW LEVEL SECURITY"),
    ):
        with owner.system() as connection:
            connection.execute(text(statement))
        with pytest.raises(DatabaseUnprotected, match=table):
            service.check()
        with owner.system() as connection:
            connection.execute(text(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"))
            connection.execute(text(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"))
    service.check()
    service.close()
    owner.close()


def test_set_up_may_run_again(postgres_database: PostgresDatabase) -> None:
    """It changes nothing, and what is there stays there."""
    url = service_url(postgres_database)
    said = prepare_database(url, postgres_database.owner_url, CLOUD)
    service = open_database(url)
    add_tenants(service, "gelato")
    assert prepare_database(url, postgres_database.owner_url, CLOUD) == said
    assert service.tenants() == ["gelato"]
    assert "***" in said
    service.close()


def test_set_up_makes_the_services_role(postgres_database: PostgresDatabase) -> None:
    """An owner who may make roles makes it, with a password that needs quoting, weak as it must be."""
    owner = role_of(postgres_database.owner_url)
    with postgres_database.cluster.connect() as connection:
        connection.execute(f'ALTER ROLE "{owner}" CREATEROLE'.encode())
    host = postgres_database.owner_url.partition("@")[2]
    name = f"made_{secrets.token_hex(4)}"
    url = f"postgresql+psycopg://{name}:it%27s%20100%25%3Bsecret@{host}"
    prepare_database(url, postgres_database.owner_url, CLOUD)
    service = open_database(url)
    add_tenants(service, "gelato")
    assert service.tenants() == ["gelato"]
    service.close()


def test_an_owner_who_may_not_make_roles_is_told_so(postgres_database: PostgresDatabase) -> None:
    host = postgres_database.owner_url.partition("@")[2]
    with pytest.raises(ConfigError, match="may not make the role 'nobody_made_me'") as told:
        prepare_database(f"postgresql+psycopg://nobody_made_me:x@{host}", postgres_database.owner_url, CLOUD)
    assert "CREATE ROLE nobody_made_me LOGIN" in told.value.remedy


def test_without_the_owner_nothing_is_made(postgres_database: PostgresDatabase) -> None:
    """The services' role alone finds no tables and says who must make them."""
    with pytest.raises(DatabaseNotMigrated) as told:
        prepare_database(service_url(postgres_database), None, CLOUD)
    assert "--owner-url" in told.value.remedy


def test_the_owner_of_another_database_is_refused(postgres_database: PostgresDatabase) -> None:
    with pytest.raises(ConfigError, match="another database"):
        prepare_database(service_url(postgres_database), postgres_database.cluster.superuser_url, CLOUD)


def test_a_wrong_password_says_so(postgres_database: PostgresDatabase) -> None:
    """Wrong credentials: a clear message, and no password in it."""
    host = postgres_database.owner_url.partition("@")[2]
    url = f"postgresql+psycopg://somebody:guessed-secret@{host}"
    with open_database(url) as database, pytest.raises(DatabaseAway, match="password authentication") as told:
        database.check()
    assert "guessed-secret" not in str(told.value)
