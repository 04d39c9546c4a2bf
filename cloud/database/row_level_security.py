"""PostgreSQL's row-level security, as the migrations switch it on; SQLite has none.

Forced, so that it binds the owner too. `app.tenant` is unset or empty outside of a transaction of
`Database.tenant`, and equals no tenant then.
"""

from sqlalchemy import Connection

_OWN = "tenant = current_setting('app.tenant', true)"


def protect(connection: Connection, table: str) -> None:
    """Show and accept the rows of the transaction's tenant alone."""
    if connection.dialect.name != "postgresql":
        return
    for statement in (
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        f'CREATE POLICY own_tenant ON "{table}" USING ({_OWN}) WITH CHECK ({_OWN})',
    ):
        connection.exec_driver_sql(statement)


def allow_listing(connection: Connection) -> None:
    """Show the rows of `tenants` to a transaction that says it lists them; to read, not to write."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "CREATE POLICY listing ON tenants FOR SELECT"
            " USING (current_setting('app.listing', true) = 'tenants')"
        )


def allow_listing_jobs(connection: Connection) -> None:
    """Show the rows of `jobs` to a worker that says it lists them: ids and times, nothing of a customer."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "CREATE POLICY listing ON jobs FOR SELECT USING (current_setting('app.listing', true) = 'jobs')"
        )
