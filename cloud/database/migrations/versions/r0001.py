"""Every table of the first version."""

import sqlalchemy as sa
from alembic import op

from cloud.database.row_level_security import allow_listing, protect

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the changes."""
    op.create_table(
        "audit",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("entry", sa.LargeBinary(length=16), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "entry", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_tenant_at_ms"), "audit", ["tenant", "at_ms"], unique=False)
    op.create_table(
        "certificates",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("not_before_ms", sa.BigInteger(), nullable=False),
        sa.Column("not_after_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "register", "serial", name=op.f("pk_certificates")),
    )
    op.create_table(
        "consents",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("consent", sa.LargeBinary(length=16), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.Column("interaction", sa.LargeBinary(length=16), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("notice", sa.LargeBinary(length=32), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("granted_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("withdrawal", sa.LargeBinary(length=32), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "consent", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_tenant_withdrawal"), "consents", ["tenant", "withdrawal"], unique=False)
    op.create_table(
        "enrolment_codes",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("used_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "register", "code_hash", name=op.f("pk_enrolment_codes")),
    )
    op.create_table(
        "frames",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("interaction", sa.LargeBinary(length=16), nullable=False),
        sa.Column("consent", sa.LargeBinary(length=16), nullable=False),
        sa.Column("object_key", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=256), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("captured_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("stored_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("erased_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "register", "message_id", name=op.f("pk_frames")),
    )
    op.create_index(op.f("ix_frames_tenant_consent"), "frames", ["tenant", "consent"], unique=False)
    op.create_index(
        op.f("ix_frames_tenant_expires_at_ms"), "frames", ["tenant", "expires_at_ms"], unique=False
    )
    op.create_index(op.f("ix_frames_tenant_stored_at_ms"), "frames", ["tenant", "stored_at_ms"], unique=False)
    op.create_table(
        "interactions",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("interaction", sa.LargeBinary(length=16), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("shown_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "interaction", name=op.f("pk_interactions")),
    )
    op.create_index(
        op.f("ix_interactions_tenant_shown_at_ms"), "interactions", ["tenant", "shown_at_ms"], unique=False
    )
    op.create_table(
        "messages",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("token", sa.LargeBinary(length=16), nullable=True),
        sa.Column("lease_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=256), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "register", "message_id", name=op.f("pk_messages")),
    )
    op.create_index(
        op.f("ix_messages_tenant_state_lease_until_ms"),
        "messages",
        ["tenant", "state", "lease_until_ms"],
        unique=False,
    )
    op.create_table(
        "outcomes",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.LargeBinary(length=16), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("interaction", sa.LargeBinary(length=16), nullable=True),
        sa.Column("sold_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "outcome", name=op.f("pk_outcomes")),
    )
    op.create_index(
        op.f("ix_outcomes_tenant_interaction"), "outcomes", ["tenant", "interaction"], unique=False
    )
    op.create_index(op.f("ix_outcomes_tenant_sold_at_ms"), "outcomes", ["tenant", "sold_at_ms"], unique=False)
    op.create_table(
        "quarantine",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.String(length=2000), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "register", "message_id", name=op.f("pk_quarantine")),
    )
    op.create_table(
        "refusals",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "register", "reason", "day", name=op.f("pk_refusals")),
    )
    op.create_table(
        "register_keys",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.Column("kid", sa.LargeBinary(length=16), nullable=False),
        sa.Column("algorithm", sa.Integer(), nullable=False),
        sa.Column("public", sa.LargeBinary(length=65), nullable=False),
        sa.Column("valid_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("valid_until_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "register", "kid", name=op.f("pk_register_keys")),
    )
    op.create_table(
        "registers",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("enrolled_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("seen_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "register", name=op.f("pk_registers")),
    )
    op.create_table(
        "service_keys",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("kid", sa.LargeBinary(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("algorithm", sa.Integer(), nullable=False),
        sa.Column("public", sa.LargeBinary(length=65), nullable=False),
        sa.Column("valid_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("valid_until_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "kid", name=op.f("pk_service_keys")),
    )
    op.create_table(
        "tenants",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("frames_per_day", sa.Integer(), nullable=False),
        sa.Column("bytes_per_day", sa.BigInteger(), nullable=False),
        sa.Column("messages_per_minute", sa.Integer(), nullable=False),
        sa.Column("retention_days", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_tenants")),
    )
    op.create_table(
        "usage",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "day", name=op.f("pk_usage")),
    )
    op.create_table(
        "withdrawals",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("consent", sa.LargeBinary(length=16), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("withdrawn_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("key_destroyed_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("versions_deleted_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("versions_deleted", sa.Integer(), nullable=True),
        sa.Column("told_register_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "consent", name=op.f("pk_withdrawals")),
    )
    op.create_index(
        op.f("ix_withdrawals_versions_deleted_at_ms"), "withdrawals", ["versions_deleted_at_ms"], unique=False
    )
    protect(op.get_bind(), "audit")
    protect(op.get_bind(), "certificates")
    protect(op.get_bind(), "consents")
    protect(op.get_bind(), "enrolment_codes")
    protect(op.get_bind(), "frames")
    protect(op.get_bind(), "interactions")
    protect(op.get_bind(), "messages")
    protect(op.get_bind(), "outcomes")
    protect(op.get_bind(), "quarantine")
    protect(op.get_bind(), "refusals")
    protect(op.get_bind(), "register_keys")
    protect(op.get_bind(), "registers")
    protect(op.get_bind(), "service_keys")
    protect(op.get_bind(), "tenants")
    protect(op.get_bind(), "usage")
    protect(op.get_bind(), "withdrawals")
    allow_listing(op.get_bind())
