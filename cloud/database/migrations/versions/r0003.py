"""The public API."""

import sqlalchemy as sa
from alembic import op

from cloud.database.row_level_security import allow_listing_jobs, protect

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the changes."""
    op.create_table(
        "api_clients",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("client", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("added_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("removed_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "client", name=op.f("pk_api_clients")),
    )
    op.create_table(
        "api_issuers",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("client_id", sa.String(length=200), nullable=False),
        sa.Column("audience", sa.String(length=300), nullable=True),
        sa.Column("token_endpoint", sa.String(length=500), nullable=True),
        sa.Column("added_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("removed_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "issuer", name=op.f("pk_api_issuers")),
    )
    op.create_table(
        "api_limits",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("uploads_per_day", sa.Integer(), nullable=False),
        sa.Column("uploads_per_minute", sa.Integer(), nullable=False),
        sa.Column("requests_per_minute", sa.Integer(), nullable=False),
        sa.Column("recommendation_days", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_api_limits")),
    )
    op.create_table(
        "api_sessions",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("session", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("user", sa.LargeBinary(length=32), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=True),
        sa.Column("client", sa.String(length=32), nullable=True),
        sa.Column("csrf", sa.LargeBinary(length=32), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ends_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "session", name=op.f("pk_api_sessions")),
    )
    op.create_index(
        op.f("ix_api_sessions_tenant_ends_at_ms"), "api_sessions", ["tenant", "ends_at_ms"], unique=False
    )
    op.create_index(op.f("ix_api_sessions_tenant_user"), "api_sessions", ["tenant", "user"], unique=False)
    op.create_table(
        "api_usage",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("uploads", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "day", name=op.f("pk_api_usage")),
    )
    op.create_table(
        "device_grants",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("device_code", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_code", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("user", sa.LargeBinary(length=32), nullable=True),
        sa.Column("issuer", sa.String(length=300), nullable=True),
        sa.Column("polled_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "device_code", name=op.f("pk_device_grants")),
        sa.UniqueConstraint("tenant", "user_code", name=op.f("uq_device_grants_tenant_user_code")),
    )
    op.create_index(
        op.f("ix_device_grants_tenant_expires_at_ms"),
        "device_grants",
        ["tenant", "expires_at_ms"],
        unique=False,
    )
    op.create_table(
        "erasure_proofs",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("proof", sa.LargeBinary(length=16), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("pending", sa.JSON(), nullable=True),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "proof", name=op.f("pk_erasure_proofs")),
    )
    op.create_index(
        op.f("ix_erasure_proofs_tenant_settled"), "erasure_proofs", ["tenant", "settled"], unique=False
    )
    op.create_table(
        "handovers",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("handover", sa.LargeBinary(length=16), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.Column("interaction", sa.LargeBinary(length=16), nullable=False),
        sa.Column("user", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("notice", sa.LargeBinary(length=32), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("granted_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("sent_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "handover", name=op.f("pk_handovers")),
    )
    op.create_index(
        op.f("ix_handovers_tenant_state_expires_at_ms"),
        "handovers",
        ["tenant", "state", "expires_at_ms"],
        unique=False,
    )
    op.create_index(op.f("ix_handovers_tenant_user"), "handovers", ["tenant", "user"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("job", sa.LargeBinary(length=16), nullable=False),
        sa.Column("queue", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("enqueued_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ready_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("lease_token", sa.LargeBinary(length=16), nullable=True),
        sa.Column("lease_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "job", "queue", name=op.f("pk_jobs")),
    )
    op.create_index(
        op.f("ix_jobs_queue_tenant_ready_at_ms"), "jobs", ["queue", "tenant", "ready_at_ms"], unique=False
    )
    op.create_table(
        "notices",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("text", sa.String(length=8000), nullable=False),
        sa.Column("valid_days", sa.Integer(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("added_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "language", "sha256", name=op.f("pk_notices")),
    )
    op.create_table(
        "recommendations",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("request", sa.LargeBinary(length=16), nullable=False),
        sa.Column("user", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("slate", sa.JSON(), nullable=False),
        sa.Column("release", sa.Integer(), nullable=True),
        sa.Column("model_digest", sa.String(length=64), nullable=True),
        sa.Column("model_version", sa.String(length=64), nullable=True),
        sa.Column("picture_version", sa.String(length=256), nullable=True),
        sa.Column("picture_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("nobody", sa.Float(), nullable=True),
        sa.Column("inference_ms", sa.Float(), nullable=True),
        sa.Column("latency_ms", sa.Float(), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=True),
        sa.Column("outcome_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "request", name=op.f("pk_recommendations")),
    )
    op.create_index(
        op.f("ix_recommendations_tenant_expires_at_ms"),
        "recommendations",
        ["tenant", "expires_at_ms"],
        unique=False,
    )
    op.create_index(
        op.f("ix_recommendations_tenant_user_created_at_ms"),
        "recommendations",
        ["tenant", "user", "created_at_ms"],
        unique=False,
    )
    op.create_table(
        "register_notices",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("text", sa.String(length=4000), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("valid_days", sa.Integer(), nullable=False),
        sa.Column("heard_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "register", "language", "sha256", name=op.f("pk_register_notices")),
    )
    op.create_table(
        "uploads",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("request", sa.LargeBinary(length=16), nullable=False),
        sa.Column("user", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("content_type", sa.String(length=64), nullable=False),
        sa.Column("content_length", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("object_key", sa.String(length=200), nullable=False),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("idempotency", sa.LargeBinary(length=32), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=True),
        sa.Column("issued_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("arrived_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.String(length=32), nullable=True),
        sa.Column("detail", sa.String(length=300), nullable=True),
        sa.Column("deleted_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("consent", sa.JSON(), nullable=True),
        sa.Column("blank", sa.LargeBinary(length=16), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "request", name=op.f("pk_uploads")),
        sa.UniqueConstraint("tenant", "idempotency", name=op.f("uq_uploads_tenant_idempotency")),
    )
    op.create_index(
        op.f("ix_uploads_tenant_state_expires_at_ms"),
        "uploads",
        ["tenant", "state", "expires_at_ms"],
        unique=False,
    )
    op.create_index(
        op.f("ix_uploads_tenant_user_issued_at_ms"),
        "uploads",
        ["tenant", "user", "issued_at_ms"],
        unique=False,
    )
    op.create_table(
        "web_blanks",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("blank", sa.LargeBinary(length=16), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.Column("usable_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.LargeBinary(length=16), nullable=True),
        sa.Column("message", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "blank", name=op.f("pk_web_blanks")),
        sa.UniqueConstraint("tenant", "request", name=op.f("uq_web_blanks_tenant_request")),
    )
    op.create_index(
        op.f("ix_consents_tenant_interaction"), "consents", ["tenant", "interaction"], unique=False
    )
    protect(op.get_bind(), "api_clients")
    protect(op.get_bind(), "api_issuers")
    protect(op.get_bind(), "api_limits")
    protect(op.get_bind(), "api_sessions")
    protect(op.get_bind(), "api_usage")
    protect(op.get_bind(), "device_grants")
    protect(op.get_bind(), "erasure_proofs")
    protect(op.get_bind(), "handovers")
    protect(op.get_bind(), "jobs")
    protect(op.get_bind(), "notices")
    protect(op.get_bind(), "recommendations")
    protect(op.get_bind(), "register_notices")
    protect(op.get_bind(), "uploads")
    protect(op.get_bind(), "web_blanks")
    allow_listing_jobs(op.get_bind())
