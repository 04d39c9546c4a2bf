"""The role that services use on PostgreSQL: what it may, and that it may no more."""

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from cloud.database.schema_version import Schema
from cloud.errors import DatabaseRoleTooStrong, DatabaseUnprotected
from daemon.errors import ConfigError

_STRONG = text("""
    SELECT rolname, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles
    WHERE (rolsuper OR rolbypassrls OR rolcreaterole) AND pg_has_role(current_user, oid, 'MEMBER')
    ORDER BY rolname <> current_user, rolname
""")
_OWNED = text("""
    SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
      AND pg_has_role(current_user, relowner, 'MEMBER')
    ORDER BY relname
""")
_UNPROTECTED = text("""
    SELECT relname FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relname = ANY(:tables)
      AND NOT (relrowsecurity AND relforcerowsecurity)
    ORDER BY relname
""")
_REMEDY = (
    "Name a role of its own in the database's address and let the owner make it:"
    " `topscoop cloud setup --owner-url postgresql+psycopg://OWNER:PASSWORD@HOST/NAME`."
)


def check_role(connection: Connection, schema: Schema) -> None:
    """Refuse a role, or tables, with which one tenant could see another.

    Raises:
        DatabaseRoleTooStrong: The role is, or may become, superuser, owner, maker of roles, or bypasses
            row-level security.
        DatabaseUnprotected: A table has no row-level security, or does not force it.
    """
    strong = connection.execute(_STRONG).first()
    if strong is not None:
        kinds = {"superuser": strong[1], "bypasses row-level security": strong[2], "makes roles": strong[3]}
        words = ", ".join(word for word, holds in kinds.items() if holds)
        raise DatabaseRoleTooStrong(
            f"the database's role is too strong for a service: {strong[0]} ({words})", remedy=_REMEDY
        )
    owned = None if schema.owned else connection.execute(_OWNED).scalars().first()
    if owned is not None:
        raise DatabaseRoleTooStrong(
            f"the database's role is too strong for a service: it owns the table {owned}", remedy=_REMEDY
        )
    bare = connection.execute(_UNPROTECTED, {"tables": list(schema.tenant_tables)}).scalars().first()
    if bare is not None:
        raise DatabaseUnprotected(
            f"the table {bare} lacks row-level security",
            remedy="Somebody switched it off; switch it on again (ENABLE and FORCE) before services run.",
        )


def grant_role(connection: Connection, schema: Schema, service: URL) -> None:
    """Make the services' role where it lacks, and grant it what it needs and nothing else.

    Args:
        connection: Of the owner, who may make roles if it is to be made.
        schema: Which tables.
        service: The address that services use: role and password.

    Raises:
        ConfigError: The role is not there and the owner may not make it.
    """
    name = service.username or ""
    quoted = connection.dialect.identifier_preparer.quote_identifier(name)
    exists = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}).first()
    if exists is None:
        # DDL takes no parameters; the server itself quotes the password.
        password = connection.execute(
            text("SELECT quote_literal(:it)"), {"it": service.password or ""}
        ).scalar()
        _refuse_to_make(connection, name)
        connection.exec_driver_sql(
            f"CREATE ROLE {quoted} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOINHERIT"
            f" PASSWORD {str(password).replace('%', '%%')}"
        )
    schema_name = connection.dialect.identifier_preparer.quote_identifier(
        str(connection.execute(text("SELECT current_schema()")).scalar())
    )
    connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema_name} TO {quoted}")
    connection.exec_driver_sql(f"GRANT SELECT ON alembic_version TO {quoted}")
    for table in schema.metadata.sorted_tables:
        rights = "SELECT, INSERT" if table.name in schema.appended else "SELECT, INSERT, UPDATE, DELETE"
        connection.exec_driver_sql(f'REVOKE ALL ON "{table.name}" FROM {quoted}')
        connection.exec_driver_sql(f'GRANT {rights} ON "{table.name}" TO {quoted}')


def _refuse_to_make(connection: Connection, name: str) -> None:
    may = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    if not connection.exec_driver_sql(may).scalar():
        raise ConfigError(
            f"the owner may not make the role {name!r}",
            remedy=f"As superuser: CREATE ROLE {name} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '…'; then run it"
            " again.",
        )
