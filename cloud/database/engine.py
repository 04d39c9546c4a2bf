"""The one way into the databases: a transaction that belongs to one tenant.

SQLite takes its write lock at BEGIN, so a transaction never fails half-way for another writer. PostgreSQL
knows the tenant of each transaction (`app.tenant`, gone with the transaction) and shows its rows alone.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import Connection, Engine, create_engine, event, exc, select, text
from sqlalchemy.engine import URL, make_url

from cloud.database import migrate
from cloud.database.schema import tenants as tenants_table
from cloud.database.schema_version import CLOUD, Schema
from cloud.errors import DatabaseAway
from daemon.errors import ConfigError
from wire_protocol.identifiers import is_name

_BUSY_TIMEOUT_S: Final = 30
"""How long a transaction waits for another writer of the same SQLite file."""
_CONNECT_TIMEOUT_S: Final = 5
_POSTGRES_OPTIONS: Final = (
    # A role or server that acknowledges before the disk has it would break every receipt.
    "-c synchronous_commit=on -c TimeZone=UTC "
    "-c statement_timeout=60000 -c lock_timeout=15000 -c idle_in_transaction_session_timeout=120000"
)
_BEGIN: Final = "topscoop_begin"
_OURS: Final = (exc.IntegrityError, exc.ProgrammingError, exc.DataError, exc.InternalError)
"""Faults of a statement or its values; all others are the database's."""


class Database:
    """Transactions of one database; may be used by several threads at once.

    Args:
        url: As SQLAlchemy writes it: `sqlite:///FILE` or `postgresql+psycopg://…`.
        schema: Which tables live there.
        pool_size: Connections that are kept; twice as many are opened at most.
    """

    def __init__(self, url: str, schema: Schema = CLOUD, *, pool_size: int = 5) -> None:
        self.schema = schema
        self.url = _parse(url)
        self._engine = _engine(self.url, pool_size)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        """Where SQLite keeps it."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @contextlib.contextmanager
    def tenant(self, tenant: str, *, read_only: bool = False) -> Iterator[Connection]:
        """One transaction of one tenant: committed at the end, rolled back when anything is raised.

        PostgreSQL hides the rows of others; on SQLite each statement names the tenant itself, as on both.

        Args:
            tenant: Whose rows are seen and written.
            read_only: Takes no write lock, and refuses to write.

        Raises:
            DatabaseAway: Not reachable, full, or another writer took too long; nothing was kept.
        """
        if not is_name(tenant):
            raise ValueError(f"not a tenant: {tenant!r:.80}")
        with self._transaction(read_only=read_only, tenant=tenant) as connection:
            yield connection

    @contextlib.contextmanager
    def system(self, *, read_only: bool = False) -> Iterator[Connection]:
        """One transaction of no tenant, for set-up, backup and restore; on PostgreSQL it sees nobody's rows.

        `enter` gives it a tenant, and another one after that, inside of the same transaction.

        Raises:
            DatabaseAway: As `tenant`.
        """
        with self._transaction(read_only=read_only) as connection:
            yield connection

    def enter(self, connection: Connection, tenant: str) -> None:
        """From here to the end of its transaction, this connection belongs to `tenant`."""
        if not self.is_sqlite:
            connection.execute(text("SELECT set_config('app.tenant', :tenant, true)"), {"tenant": tenant})

    def tenants(self) -> list[str]:
        """The ids of all tenants, sorted.

        On PostgreSQL a policy of the table `tenants` shows its rows to a transaction that says it lists them.

        Raises:
            DatabaseAway: As `tenant`.
        """
        with self._transaction(read_only=True) as connection:
            return self.list_tenants(connection)

    @staticmethod
    def list_tenants(connection: Connection) -> list[str]:
        """As `tenants`, within a transaction of `system`."""
        listing = connection.dialect.name == "postgresql"
        if listing:
            connection.execute(text("SELECT set_config('app.listing', 'tenants', true)"))
        names = connection.execute(select(tenants_table.c.tenant).order_by(tenants_table.c.tenant))
        listed = list(names.scalars())
        if listing:
            connection.execute(text("SELECT set_config('app.listing', '', true)"))
        return listed

    def migrate(self) -> None:
        """Bring the tables to this version; does nothing where they are. On PostgreSQL: as the owner.

        Raises:
            DatabaseAway: As `tenant`.
            DatabaseNotMigrated: The database comes from a newer version.
        """
        self.prepare_file()
        with self._transaction(read_only=False) as connection:
            migrate.upgrade(connection, self.schema)

    def prepare_file(self) -> None:
        """SQLite: an empty file that its owner alone may read, where there is none."""
        if self.file is not None:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.file.touch(mode=0o600)

    def check(self) -> None:
        """What each service asks before it serves.

        Raises:
            DatabaseAway: Not reachable.
            DatabaseNotMigrated: Tables are missing, or come from another version.
            DatabaseRoleTooStrong: PostgreSQL: the role is superuser, owner, or may become one.
            DatabaseUnprotected: PostgreSQL: a table of tenants' data has no row-level security.
        """
        from cloud.database.role import check_role

        with self._transaction(read_only=True) as connection:
            migrate.check(connection, self.schema)
            if not self.is_sqlite:
                check_role(connection, self.schema)

    def revision(self) -> str | None:
        """The revision of its tables; None where there are none.

        Raises:
            DatabaseAway: As `tenant`.
        """
        with self._transaction(read_only=True) as connection:
            return migrate.revision_of(connection)

    def scrub(self) -> None:
        """Overwrite what was deleted: SQLite empties its write-ahead log, PostgreSQL vacuums every table.

        Raises:
            DatabaseAway: As `tenant`.
        """
        with translated():
            if self.is_sqlite:
                raw = self._engine.raw_connection()
                try:
                    busy, *_ = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                finally:
                    raw.close()
                if busy:
                    raise DatabaseAway(
                        "a long reader keeps the write-ahead log; what was deleted is still in it"
                    )
                return
            with self._engine.connect() as connection:
                plain = connection.execution_options(isolation_level="AUTOCOMMIT")
                for table in self.schema.metadata.sorted_tables:
                    plain.exec_driver_sql(f'VACUUM "{table.name}"')

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _transaction(self, *, read_only: bool, tenant: str | None = None) -> Iterator[Connection]:
        """A transaction; on PostgreSQL it belongs to `tenant`, a name (`is_name`), from its begin on."""
        begin = _begin_of(tenant, read_only=read_only, is_sqlite=self.is_sqlite)
        with translated(), self._engine.connect() as connection:
            connection = connection.execution_options(**{_BEGIN: begin})  # noqa: PLW2901 - the same one
            with connection.begin():
                yield connection


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn what the drivers raise when the database is away, full, damaged or busy into `DatabaseAway`."""
    try:
        yield
    except (exc.DBAPIError, exc.TimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        # What SQLite calls just an error is a wrong statement: ours, not the disk's.
        if isinstance(error, _OURS) or getattr(cause, "sqlite_errorname", "") == "SQLITE_ERROR":
            raise
        raise DatabaseAway(
            f"the database does not answer: {str(cause).strip() or type(cause).__name__}",
            remedy="It is asked again by itself; look at the database's log and at its disk.",
        ) from error


def open_database(url: str, schema: Schema = CLOUD, *, pool_size: int = 5) -> Database:
    """A database by its URL; nothing is connected yet.

    Raises:
        ConfigError: The URL names neither a SQLite file nor a PostgreSQL database.
    """
    return Database(url, schema, pool_size=pool_size)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        parsed = None
    if parsed is None or parsed.drivername not in {"sqlite", "postgresql+psycopg"} or not parsed.database:
        raise ConfigError(
            "the database's address is neither SQLite's nor PostgreSQL's",
            remedy="Write sqlite:///FILE or postgresql+psycopg://ROLE:PASSWORD@HOST/NAME.",
        )
    return parsed


def _engine(url: URL, pool_size: int) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            hide_parameters=True,
            connect_args={"timeout": _BUSY_TIMEOUT_S},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        hide_parameters=True,  # values of statements belong in no log
        isolation_level="AUTOCOMMIT",  # BEGIN is ours: it comes with all that a transaction begins with
        connect_args={"connect_timeout": _CONNECT_TIMEOUT_S, "options": _POSTGRES_OPTIONS},
    )
    event.listen(engine, "begin", _begin_postgres)
    return engine


def _begin_of(tenant: str | None, *, read_only: bool, is_sqlite: bool) -> str:
    """What a transaction begins with, as one message to the server: each message is a round trip."""
    if is_sqlite:
        return "BEGIN" if read_only else "BEGIN IMMEDIATE"
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if read_only else "BEGIN"
    # A name has nothing but letters, digits and hyphens (`is_name`).
    return begin if tenant is None else f"{begin}; SELECT set_config('app.tenant', '{tenant}', true)"


def _begin_postgres(connection: Connection) -> None:
    begin = connection.get_execution_options().get(_BEGIN)
    if begin is not None:  # without it: a statement that may be in no transaction
        connection.exec_driver_sql(begin)


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # BEGIN is ours
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE")
    connection.exec_driver_sql(f"PRAGMA query_only = {int(begin == 'BEGIN')}")
    connection.exec_driver_sql(begin)
