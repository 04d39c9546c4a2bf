"""Releases, rollouts, the console."""

import sqlalchemy as sa
from alembic import op

from cloud.database.row_level_security import protect

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the changes."""
    op.create_table(
        "console_sessions",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("session", sa.LargeBinary(length=32), nullable=False),
        sa.Column("operator", sa.LargeBinary(length=16), nullable=False),
        sa.Column("csrf", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ends_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "session", name=op.f("pk_console_sessions")),
    )
    op.create_table(
        "desired_states",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("release", sa.Integer(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("rollout", sa.LargeBinary(length=16), nullable=True),
        sa.Column("set_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("published_generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "register", name=op.f("pk_desired_states")),
    )
    op.create_table(
        "operators",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("operator", sa.LargeBinary(length=16), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("added_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("removed_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "operator", name=op.f("pk_operators")),
        sa.UniqueConstraint("tenant", "issuer", "subject", name=op.f("uq_operators_tenant_issuer_subject")),
    )
    op.create_table(
        "register_groups",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("group", sa.String(length=32), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "group", "register", name=op.f("pk_register_groups")),
    )
    op.create_table(
        "register_health",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("reported_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=True),
        sa.Column("online_since_ms", sa.BigInteger(), nullable=True),
        sa.Column("status_sequence", sa.BigInteger(), nullable=True),
        sa.Column("agent_version", sa.String(length=64), nullable=True),
        sa.Column("running_release", sa.Integer(), nullable=True),
        sa.Column("running_digest", sa.String(length=64), nullable=True),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("update_release", sa.Integer(), nullable=True),
        sa.Column("update_state", sa.String(length=16), nullable=True),
        sa.Column("update_reason", sa.String(length=32), nullable=True),
        sa.Column("p50_ms", sa.Float(), nullable=True),
        sa.Column("p99_ms", sa.Float(), nullable=True),
        sa.Column("recommendations", sa.BigInteger(), nullable=True),
        sa.Column("errors", sa.BigInteger(), nullable=True),
        sa.Column("crashes", sa.BigInteger(), nullable=True),
        sa.Column("confidence", sa.JSON(), nullable=True),
        sa.Column("labels", sa.JSON(), nullable=True),
        sa.Column("shadow_release", sa.Integer(), nullable=True),
        sa.Column("shadow_compared", sa.BigInteger(), nullable=True),
        sa.Column("shadow_same_first", sa.BigInteger(), nullable=True),
        sa.Column("shadow_errors", sa.BigInteger(), nullable=True),
        sa.Column("shadow_p99_ms", sa.Float(), nullable=True),
        sa.Column("spooled_messages", sa.BigInteger(), nullable=True),
        sa.Column("spooled_bytes", sa.BigInteger(), nullable=True),
        sa.Column("blanks_left", sa.BigInteger(), nullable=True),
        sa.Column("certificate_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("metadata_expires_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "register", name=op.f("pk_register_health")),
    )
    op.create_index(
        op.f("ix_register_health_tenant_received_at_ms"),
        "register_health",
        ["tenant", "received_at_ms"],
        unique=False,
    )
    op.create_table(
        "releases",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("release", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=200), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("budget_p99_ms", sa.Float(), nullable=False),
        sa.Column("minimum_agent", sa.String(length=64), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("listed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_reason", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "release", name=op.f("pk_releases")),
    )
    op.create_table(
        "repositories",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("trusted_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("checked_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=True),
        sa.Column("root_version", sa.Integer(), nullable=True),
        sa.Column("timestamp_version", sa.Integer(), nullable=True),
        sa.Column("snapshot_version", sa.Integer(), nullable=True),
        sa.Column("targets_version", sa.Integer(), nullable=True),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("minimum_release", sa.Integer(), nullable=True),
        sa.Column("champion", sa.Integer(), nullable=True),
        sa.Column("candidate", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_repositories")),
    )
    op.create_table(
        "rollout_events",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("rollout", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry", sa.LargeBinary(length=16), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "rollout", "entry", name=op.f("pk_rollout_events")),
    )
    op.create_table(
        "rollout_members",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("rollout", sa.LargeBinary(length=16), nullable=False),
        sa.Column("register", sa.String(length=32), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("previous", sa.Integer(), nullable=True),
        sa.Column("generation", sa.BigInteger(), nullable=True),
        sa.Column("told_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("changed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "rollout", "register", name=op.f("pk_rollout_members")),
    )
    op.create_index(
        op.f("ix_rollout_members_tenant_register"), "rollout_members", ["tenant", "register"], unique=False
    )
    op.create_table(
        "rollout_policies",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("approval", sa.Boolean(), nullable=False),
        sa.Column("frozen_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("frozen_by", sa.String(length=200), nullable=True),
        sa.Column("frozen_reason", sa.String(length=500), nullable=True),
        sa.Column("stopped_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("stopped_by", sa.String(length=200), nullable=True),
        sa.Column("stopped_reason", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_rollout_policies")),
    )
    op.create_table(
        "rollouts",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("rollout", sa.LargeBinary(length=16), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("release", sa.Integer(), nullable=False),
        sa.Column("previous", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("baseline", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.String(length=200), nullable=True),
        sa.Column("started_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("stage_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "rollout", name=op.f("pk_rollouts")),
    )
    op.create_index(op.f("ix_rollouts_tenant_state"), "rollouts", ["tenant", "state"], unique=False)
    op.create_table(
        "stores",
        sa.Column("tenant", sa.String(length=32), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("opening", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "store", name=op.f("pk_stores")),
    )
    protect(op.get_bind(), "console_sessions")
    protect(op.get_bind(), "desired_states")
    protect(op.get_bind(), "operators")
    protect(op.get_bind(), "register_groups")
    protect(op.get_bind(), "register_health")
    protect(op.get_bind(), "releases")
    protect(op.get_bind(), "repositories")
    protect(op.get_bind(), "rollout_events")
    protect(op.get_bind(), "rollout_members")
    protect(op.get_bind(), "rollout_policies")
    protect(op.get_bind(), "rollouts")
    protect(op.get_bind(), "stores")
