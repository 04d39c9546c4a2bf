"""Alembic runs this: within the transaction that `cloud.database.migrate` was given."""

from alembic import context

from cloud.database.schema_version import Schema

schema: Schema = context.config.attributes["schema"]
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    compare_server_default=True,
)
context.run_migrations()
