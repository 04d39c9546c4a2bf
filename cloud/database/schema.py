"""Every table of the cloud, tenant first in every key. Migrations (Alembic) make them; queries name them.

Times are milliseconds since 1970-01-01 UTC. Ids that travel as 16 bytes are kept as 16 bytes.
Consent keys are not here: they live in a database of their own (`cloud.privacy.key_schema`).
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _tenant() -> Column[str]:
    return Column("tenant", String(32), primary_key=True)


def _register(*, primary: bool = True) -> Column[str]:
    return Column("register", String(32), primary_key=primary, nullable=False)


tenants = Table(
    "tenants",
    metadata,
    _tenant(),
    Column("name", String(200), nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("frames_per_day", Integer, nullable=False),  # quota; beyond it, `retry`
    Column("bytes_per_day", BigInteger, nullable=False),
    Column("messages_per_minute", Integer, nullable=False),
    Column("retention_days", Integer, nullable=False),
)

service_keys = Table(  # public halves; the private ones are with the services that sign
    "service_keys",
    metadata,
    _tenant(),
    Column("kid", LargeBinary(16), primary_key=True),
    Column("purpose", String(16), nullable=False),  # `receipts` (collector) or `consent` (keeper)
    Column("algorithm", Integer, nullable=False),  # COSE's number
    Column("public", LargeBinary(65), nullable=False),
    Column("valid_from_ms", BigInteger, nullable=False),
    Column("valid_until_ms", BigInteger),
)

registers = Table(
    "registers",
    metadata,
    _tenant(),
    _register(),
    Column("store", String(32), nullable=False),
    Column("state", String(16), nullable=False),  # `invited`, `enrolled`, `revoked`
    Column("created_at_ms", BigInteger, nullable=False),
    Column("enrolled_at_ms", BigInteger),
    Column("revoked_at_ms", BigInteger),
    Column("seen_at_ms", BigInteger),
    Column("report", JSON),  # the newest, as it came in
)

register_keys = Table(  # kept with their validity as long as objects exist that they verify
    "register_keys",
    metadata,
    _tenant(),
    _register(),
    Column("kid", LargeBinary(16), primary_key=True),
    Column("algorithm", Integer, nullable=False),
    Column("public", LargeBinary(65), nullable=False),
    Column("valid_from_ms", BigInteger, nullable=False),
    Column("valid_until_ms", BigInteger),
)

certificates = Table(
    "certificates",
    metadata,
    _tenant(),
    _register(),
    Column("serial", String(64), primary_key=True),  # hex
    Column("not_before_ms", BigInteger, nullable=False),
    Column("not_after_ms", BigInteger, nullable=False),
    Column("revoked_at_ms", BigInteger),
)

enrolment_codes = Table(
    "enrolment_codes",
    metadata,
    _tenant(),
    _register(),
    Column("code_hash", LargeBinary(32), primary_key=True),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("used_at_ms", BigInteger),
)

messages = Table(  # one row a message that was claimed; the receipt is a pure function of it
    "messages",
    metadata,
    _tenant(),
    _register(),
    Column("message_id", LargeBinary(16), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("state", String(16), nullable=False),  # `claimed`, `stored`, `refused`, `gone`
    Column("reason", String(32)),
    Column("received_at_ms", BigInteger, nullable=False),
    Column("size", Integer, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("token", LargeBinary(16)),  # of the claim; null once it is done
    Column("lease_until_ms", BigInteger),
    Column("attempts", Integer, nullable=False),
    Column("version", String(256)),
    Index(None, "tenant", "state", "lease_until_ms"),
)

frames = Table(
    "frames",
    metadata,
    _tenant(),
    _register(),
    Column("message_id", LargeBinary(16), primary_key=True),
    Column("interaction", LargeBinary(16), nullable=False),
    Column("consent", LargeBinary(16), nullable=False),
    Column("object_key", String(200), nullable=False),
    Column("version", String(256), nullable=False),
    Column("size", Integer, nullable=False),
    Column("captured_at_ms", BigInteger, nullable=False),
    Column("stored_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("erased_at_ms", BigInteger),
    Index(None, "tenant", "consent"),
    Index(None, "tenant", "stored_at_ms"),
    Index(None, "tenant", "expires_at_ms"),
)

consents = Table(
    "consents",
    metadata,
    _tenant(),
    Column("consent", LargeBinary(16), primary_key=True),  # the blank's id: one blank, one consent
    _register(primary=False),
    Column("interaction", LargeBinary(16), nullable=False),
    Column("purposes", JSON, nullable=False),
    Column("notice", LargeBinary(32), nullable=False),
    Column("language", String(16), nullable=False),
    Column("method", String(16), nullable=False),
    Column("granted_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("withdrawal", LargeBinary(32), nullable=False),  # SHA-256 of the code on the slip
    Column("receipt", LargeBinary, nullable=False),  # the signed bytes
    Column("received_at_ms", BigInteger, nullable=False),
    Index(None, "tenant", "withdrawal"),
)

withdrawals = Table(  # also of consents that were never seen: a tombstone
    "withdrawals",
    metadata,
    _tenant(),
    Column("consent", LargeBinary(16), primary_key=True),
    Column("source", String(16), nullable=False),  # `register`, `operator`, `customer`, `retention`
    Column("withdrawn_at_ms", BigInteger, nullable=False),
    Column("received_at_ms", BigInteger, nullable=False),
    Column("key_destroyed_at_ms", BigInteger),
    Column("versions_deleted_at_ms", BigInteger),
    Column("versions_deleted", Integer),
    Column("told_register_at_ms", BigInteger),
    Index(None, "versions_deleted_at_ms"),
)

interactions = Table(
    "interactions",
    metadata,
    _tenant(),
    Column("interaction", LargeBinary(16), primary_key=True),
    _register(primary=False),
    Column("store", String(32), nullable=False),
    Column("shown_at_ms", BigInteger, nullable=False),
    Column("received_at_ms", BigInteger, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("body", JSON, nullable=False),
    Index(None, "tenant", "shown_at_ms"),
)

outcomes = Table(
    "outcomes",
    metadata,
    _tenant(),
    Column("outcome", LargeBinary(16), primary_key=True),
    _register(primary=False),
    Column("store", String(32), nullable=False),
    Column("interaction", LargeBinary(16)),
    Column("sold_at_ms", BigInteger, nullable=False),
    Column("received_at_ms", BigInteger, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("body", JSON, nullable=False),
    Index(None, "tenant", "interaction"),
    Index(None, "tenant", "sold_at_ms"),
)

quarantine = Table(  # messages whose handling failed three times
    "quarantine",
    metadata,
    _tenant(),
    _register(),
    Column("message_id", LargeBinary(16), primary_key=True),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("error", String(2000), nullable=False),
    Column("message", LargeBinary, nullable=False),
)

refusals = Table(  # how often, by reason and day; the log has each one
    "refusals",
    metadata,
    _tenant(),
    _register(),
    Column("reason", String(32), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("count", Integer, nullable=False),
)

usage = Table(  # what counts against a tenant's quota
    "usage",
    metadata,
    _tenant(),
    Column("day", String(10), primary_key=True),
    Column("frames", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    _tenant(),
    Column("entry", LargeBinary(16), primary_key=True),  # UUID version 7
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("detail", JSON, nullable=False),
    Index(None, "tenant", "at_ms"),
)

TENANT_TABLES = tuple(metadata.tables.values())
"""All of them: each has row-level security on PostgreSQL."""
