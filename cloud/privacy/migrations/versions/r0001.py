"""The tables of consent keys."""

import sqlalchemy as sa
from alembic import op

from cloud.database.row_level_security import protect

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the changes."""
    op.create_table(
        "consent_keys",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("blank", sa.LargeBinary(length=16), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(length=60), nullable=False),
        sa.Column("issued_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ends_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "blank", name=op.f("pk_consent_keys")),
    )
    op.create_index(
        op.f("ix_consent_keys_tenant_register_issued_at_ms"),
        "consent_keys",
        ["tenant", "register", "issued_at_ms"],
    )
    op.create_index(
        op.f("ix_consent_keys_tenant_used_ends_at_ms"), "consent_keys", ["tenant", "used", "ends_at_ms"]
    )
    op.create_table(
        "day_keys",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "day", name=op.f("pk_day_keys")),
    )
    for table in ("consent_keys", "day_keys"):
        protect(op.get_bind(), table)
