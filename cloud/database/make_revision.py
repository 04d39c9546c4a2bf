"""For developers: `python -m cloud.database.make_revision 0002 "what changes"` writes the next migration.

It compares the tables as the code names them with a fresh database at the newest revision, so read what it
wrote before you commit it. Another schema is named by `--schema module:NAME`.
"""

import argparse
import importlib
import tempfile
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations.ops import CreateTableOp, UpgradeOps
from alembic.runtime.migration import MigrationContext

from cloud.database import migrate
from cloud.database.engine import open_database
from cloud.database.schema_version import Schema

_PAGE = '''"""{message}."""

import sqlalchemy as sa
from alembic import op

from cloud.database.row_level_security import {imports}

revision = {revision!r}
down_revision = {down!r}


def upgrade() -> None:
    """Make the changes."""
    {body}
'''


def revision_text(schema: Schema, revision: str, message: str) -> str:
    """A migration from the newest revision to the tables that the code names."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/fresh.sqlite3", schema)
        if migrate.head(schema) is not None:
            database.migrate()
        with database.system() as connection:
            context = MigrationContext.configure(connection, opts={"target_metadata": schema.metadata})
            operations = produce_migrations(context, schema.metadata).upgrade_ops
            assert isinstance(operations, UpgradeOps)
            body = render_python_code(operations, migration_context=context)
        database.close()
    made = [step.table_name for step in operations.ops if isinstance(step, CreateTableOp)]
    lines = [line for line in body.splitlines() if not line.strip().startswith("# ###")]
    lines += [
        f'    protect(op.get_bind(), "{name}")' for name in made if "tenant" in schema.metadata.tables[name].c
    ]
    listing = "tenants" in made
    if listing:
        lines.append("    allow_listing(op.get_bind())")
    return _PAGE.format(
        message=message,
        revision=revision,
        down=migrate.head(schema),
        imports="allow_listing, protect" if listing else "protect",
        body="\n".join(lines).strip(),
    )


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision", help="the new revision's id, such as 0002")
    parser.add_argument("message", help="one sentence without its full stop")
    parser.add_argument("--schema", default="cloud.database.schema_version:CLOUD", help="module:NAME")
    args = parser.parse_args()
    module, _, name = args.schema.partition(":")
    schema: Schema = getattr(importlib.import_module(module), name)
    schema.versions.mkdir(parents=True, exist_ok=True)
    path = Path(schema.versions) / f"r{args.revision}.py"
    path.write_text(revision_text(schema, args.revision, args.message), "utf-8")
    print(path)


if __name__ == "__main__":
    _main()
