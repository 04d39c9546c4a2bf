"""The tables of the releases' state; each change is one migration that is never edited afterwards."""

import sqlite3

from sqlite_utils import Database, Migrations

migrations = Migrations("edge_agent.updates")


@migrations()
def m001_first(db: Database) -> None:
    """One row with the facts; they change together, a few times per release."""
    db.table("state").create({"id": int, "facts": bytes, "saved_at_ms": int}, pk="id", strict=True)


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the migrations that this database lacks, each in a transaction of its own.

    Raises:
        sqlite3.Error: Disk or database refused.
    """
    migrations.apply(Database(connection))
