"""Migrations without a configuration file: Alembic is told its folders and given our transaction."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from cloud.database.schema_version import Schema
from cloud.errors import DatabaseNotMigrated


def upgrade(connection: Connection, schema: Schema, revision: str = "head") -> None:
    """Run what is missing up to `revision`, within the caller's transaction: all of it or nothing.

    Raises:
        DatabaseNotMigrated: The database is at a revision that this version does not know, or a backup is.
    """
    _refuse_unknown(schema, revision_of(connection))
    _refuse_unknown(schema, revision)
    config = config_of(schema)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def check(connection: Connection, schema: Schema) -> None:
    """Refuse a database that is not at this version's revision.

    Raises:
        DatabaseNotMigrated: Set-up was not run, or the database belongs to a newer version.
    """
    revision = revision_of(connection)
    _refuse_unknown(schema, revision)
    if revision != head(schema):
        raise DatabaseNotMigrated(
            f"the {schema.name} database is not set up for this version",
            remedy="Run `topscoop cloud setup`; on PostgreSQL with --owner-url.",
        )


def head(schema: Schema) -> str | None:
    """The newest revision that this version knows."""
    return _scripts(schema).get_current_head()


def revision_of(connection: Connection) -> str | None:
    """The revision of a database; None where nothing was made yet."""
    return MigrationContext.configure(connection).get_current_revision()


def config_of(schema: Schema, **attributes: Any) -> Config:
    """What Alembic must know."""
    config = Config()
    config.set_main_option("script_location", _escaped(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", _escaped(schema.versions))
    config.attributes |= {"schema": schema, **attributes}
    return config


def _scripts(schema: Schema) -> ScriptDirectory:
    return ScriptDirectory.from_config(config_of(schema))


def _refuse_unknown(schema: Schema, revision: str | None) -> None:
    if revision is None:
        return
    try:
        _scripts(schema).get_revision(revision)
    except CommandError as error:
        raise DatabaseNotMigrated(
            f"the {schema.name} database, or its backup, is at revision {revision}, unknown to this version",
            remedy="A newer Topscoop made it; install that version.",
        ) from error


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")
