"""Which tables live in a database, and where their migrations are."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import MetaData

from cloud.database.schema import metadata


@dataclass(frozen=True)
class Schema:
    """The tables of one database.

    Args:
        name: For people.
        metadata: The tables; those with a column `tenant` have row-level security on PostgreSQL.
        versions: Folder of Alembic's revisions.
        appended: Tables that services may add to, but neither change nor delete from.
        owned: The service's own role owns the tables on PostgreSQL, because it vacuums them.
    """

    name: str
    metadata: MetaData
    versions: Path
    appended: frozenset[str] = frozenset()
    owned: bool = False

    @property
    def tenant_tables(self) -> tuple[str, ...]:
        """Names of the tables with tenants' data."""
        return tuple(table.name for table in self.metadata.sorted_tables if "tenant" in table.c)


CLOUD = Schema(
    "cloud", metadata, Path(__file__).parent / "migrations" / "versions", appended=frozenset({"audit"})
)
"""The database of everything but consent keys."""
