import sqlite3
from contextlib import closing

from edge_agent.adapters.journal_database import SCHEMA_VERSION
from edge_agent.adapters.journal_schema import migrate, migrations


def test_the_version_counts_the_migrations() -> None:
    """Otherwise an old file would be taken for a new one, and its missing columns for damage."""
    assert len(migrations._migrations) == SCHEMA_VERSION


def test_migrating_twice_changes_nothing() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        tables = connection.execute("SELECT sql FROM sqlite_schema").fetchall()
        migrate(connection)
        assert connection.execute("SELECT sql FROM sqlite_schema").fetchall() == tables


def test_no_table_has_a_column_for_a_picture() -> None:
    """Invariant 2: a frame never touches the disk; the only bytes kept are a digest."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        query = (
            "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c"
            " WHERE t.type = 'table' AND c.type = 'BLOB'"
        )
        assert connection.execute(query).fetchall() == [("outcome", "content_sha256")]
