"""Every table of the cloud, tenant first in every key. Migrations (Alembic) make them; queries name them.

Times are milliseconds since 1970-01-01 UTC. Ids that travel as 16 bytes are kept as 16 bytes.
Consent keys are not here: they live in a database of their own (`cloud.privacy.key_schema`).
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
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
    Column("purpose", String(16), nullable=False),  # as `cloud.service_keys.Purpose`
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
    Index(None, "tenant", "interaction"),
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

# ---- releases and rollouts --------------------------------------------------------------------------------

repositories = Table(  # one a chain: what its signed metadata said when it was last looked at
    "repositories",
    metadata,
    _tenant(),
    Column("root", LargeBinary, nullable=False),  # the first trusted root.json; registers get it at enrolment
    Column("trusted_at_ms", BigInteger, nullable=False),
    Column("checked_at_ms", BigInteger),
    Column("problem", String(500)),  # in plain words; null when the last look went well
    Column("root_version", Integer),  # versions never sink, whatever a cache forgets
    Column("timestamp_version", Integer),
    Column("snapshot_version", Integer),
    Column("targets_version", Integer),
    Column("expires_at_ms", BigInteger),  # the first of its metadata to expire
    Column("minimum_release", Integer),
    Column("champion", Integer),  # aliases, as signed
    Column("candidate", Integer),
)

releases = Table(  # signed and listed; only `cloud.releases` writes here, from verified metadata
    "releases",
    metadata,
    _tenant(),
    Column("release", Integer, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("version", String(64), nullable=False),
    Column("digest", String(64), nullable=False),  # SHA-256 of the network, hex
    Column("target", String(200), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("budget_p99_ms", Float, nullable=False),
    Column("minimum_agent", String(64), nullable=False),
    Column("manifest", JSON, nullable=False),
    Column("report", JSON, nullable=False),  # the summary that was signed; {} where there is none
    Column("listed_at_ms", BigInteger, nullable=False),
    Column("withdrawn_at_ms", BigInteger),
    Column("withdrawn_reason", String(500)),
)

stores = Table(
    "stores",
    metadata,
    _tenant(),
    Column("store", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("timezone", String(64), nullable=False),  # IANA
    Column("opening", JSON, nullable=False),  # [{"days": [0..6], "from": "09:00", "to": "19:30"}]; [] unknown
)

register_groups = Table(
    "register_groups",
    metadata,
    _tenant(),
    Column("group", String(32), primary_key=True),
    _register(),
)

register_health = Table(  # the newest verified report of each register, and whether it is connected
    "register_health",
    metadata,
    _tenant(),
    _register(),
    Column("received_at_ms", BigInteger),  # of the newest report, by our clock
    Column("reported_at_ms", BigInteger),  # by the register's clock
    Column("sequence", BigInteger, nullable=False),  # of that report: an older one never replaces it
    Column("online", Boolean),  # null: never heard of
    Column("online_since_ms", BigInteger),  # or offline since, by our clock
    Column("status_sequence", BigInteger),  # of the status that said so
    Column("agent_version", String(64)),
    Column("running_release", Integer),  # by the digest it attests, not by what it says
    Column("running_digest", String(64)),
    Column("generation", BigInteger, nullable=False),
    Column("update_release", Integer),
    Column("update_state", String(16)),
    Column("update_reason", String(32)),
    Column("p50_ms", Float),
    Column("p99_ms", Float),
    Column("recommendations", BigInteger),
    Column("errors", BigInteger),
    Column("crashes", BigInteger),
    Column("confidence", JSON),  # counts, as the report's health has them
    Column("labels", JSON),
    Column("shadow_release", Integer),
    Column("shadow_compared", BigInteger),
    Column("shadow_same_first", BigInteger),
    Column("shadow_errors", BigInteger),
    Column("shadow_p99_ms", Float),
    Column("spooled_messages", BigInteger),
    Column("spooled_bytes", BigInteger),
    Column("blanks_left", BigInteger),
    Column("certificate_until_ms", BigInteger),
    Column("metadata_expires_at_ms", BigInteger),
    Column("report", JSON),  # the whole payload
    Index(None, "tenant", "received_at_ms"),
)

desired_states = Table(  # the outbox of `desired`: published is what was handed to the broker last
    "desired_states",
    metadata,
    _tenant(),
    _register(),
    Column("generation", BigInteger, nullable=False),
    Column("release", Integer),
    Column("digest", String(64)),
    Column("settings", JSON, nullable=False),
    Column("rollout", LargeBinary(16)),
    Column("set_at_ms", BigInteger, nullable=False),
    Column("published_generation", BigInteger, nullable=False),
)

rollouts = Table(
    "rollouts",
    metadata,
    _tenant(),
    Column("rollout", LargeBinary(16), primary_key=True),  # UUID version 7
    Column("revision", BigInteger, nullable=False),  # grows with every change; guards decide and outbox
    Column("release", Integer, nullable=False),
    Column("previous", Integer),  # null: what registers were installed with
    Column("state", String(16), nullable=False),  # as `cloud.rollout.values.State`
    Column("stage", Integer, nullable=False),  # index into the plan's stages
    Column("plan", JSON, nullable=False),
    Column("baseline", JSON, nullable=False),  # confidence and labels before it began
    Column("reason", String(500)),  # in plain words, of the newest stop
    Column("created_by", String(200), nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("approved_by", String(200)),
    Column("started_at_ms", BigInteger),
    Column("stage_at_ms", BigInteger),
    Column("ended_at_ms", BigInteger),
    Index(None, "tenant", "state"),
)

rollout_members = Table(  # membership of a stage is stored: raising a share only adds
    "rollout_members",
    metadata,
    _tenant(),
    Column("rollout", LargeBinary(16), primary_key=True),
    _register(),
    Column("stage", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # as `cloud.rollout.values.MemberState`
    Column("previous", Integer),  # the release it ran before; null: none
    Column("generation", BigInteger),
    Column("told_at_ms", BigInteger),
    Column("changed_at_ms", BigInteger, nullable=False),
    Column("reason", String(200)),
    Index(None, "tenant", "register"),
)

rollout_events = Table(  # the timeline
    "rollout_events",
    metadata,
    _tenant(),
    Column("rollout", LargeBinary(16), primary_key=True),
    Column("entry", LargeBinary(16), primary_key=True),  # UUID version 7
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("stage", Integer, nullable=False),
    Column("words", String(500), nullable=False),
    Column("detail", JSON, nullable=False),
)

rollout_policies = Table(  # what a chain wants of every rollout
    "rollout_policies",
    metadata,
    _tenant(),
    Column("approval", Boolean, nullable=False),  # by a second person
    Column("frozen_at_ms", BigInteger),
    Column("frozen_by", String(200)),
    Column("frozen_reason", String(500)),
    Column("stopped_at_ms", BigInteger),  # the emergency stop: every running rollout returns
    Column("stopped_by", String(200)),
    Column("stopped_reason", String(500)),
)

# ---- the console ------------------------------------------------------------------------------------------

operators = Table(
    "operators",
    metadata,
    _tenant(),
    Column("operator", LargeBinary(16), primary_key=True),
    Column("issuer", String(300), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),  # `viewer`, `operator`, `admin`
    Column("added_at_ms", BigInteger, nullable=False),
    Column("removed_at_ms", BigInteger),
    UniqueConstraint("tenant", "issuer", "subject"),
)

console_sessions = Table(
    "console_sessions",
    metadata,
    _tenant(),
    Column("session", LargeBinary(32), primary_key=True),  # SHA-256 of the cookie's secret
    Column("operator", LargeBinary(16), nullable=False),
    Column("csrf", LargeBinary(32), nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("seen_at_ms", BigInteger, nullable=False),
    Column("ends_at_ms", BigInteger, nullable=False),
)

# ---- the public API ---------------------------------------------------------------------------------------
# A user is HMAC-SHA256(secret of the tenant, issuer and subject): no name, no address is kept anywhere.


def _user() -> Column[bytes]:
    return Column("user", LargeBinary(32), nullable=False)


api_issuers = Table(  # identity providers whose people a chain lets in
    "api_issuers",
    metadata,
    _tenant(),
    Column("issuer", String(300), primary_key=True),
    Column("label", String(100), nullable=False),  # on the button
    Column("client_id", String(200), nullable=False),
    Column("audience", String(300)),  # of access tokens that clients bring; null: none are taken
    Column("token_endpoint", String(500)),  # where its own description does not say it
    Column("added_at_ms", BigInteger, nullable=False),
    Column("removed_at_ms", BigInteger),
)

api_clients = Table(  # machines: client credentials
    "api_clients",
    metadata,
    _tenant(),
    Column("client", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("secret_sha256", LargeBinary(32), nullable=False),
    Column("added_at_ms", BigInteger, nullable=False),
    Column("removed_at_ms", BigInteger),
)

api_sessions = Table(
    "api_sessions",
    metadata,
    _tenant(),
    Column("session", LargeBinary(32), primary_key=True),  # SHA-256 of the cookie's or token's secret
    Column("kind", String(16), nullable=False),  # as `cloud.public_api.caller.CallerKind`
    _user(),
    Column("issuer", String(300)),  # who vouched; ends with it. Null: nobody that a row stands for
    Column("client", String(32)),  # of a machine
    Column("csrf", LargeBinary(32)),  # of a browser
    Column("created_at_ms", BigInteger, nullable=False),
    Column("seen_at_ms", BigInteger, nullable=False),
    Column("ends_at_ms", BigInteger, nullable=False),
    Index(None, "tenant", "user"),
    Index(None, "tenant", "ends_at_ms"),
)

device_grants = Table(  # RFC 8628: a device shows a code, its owner approves it in a browser
    "device_grants",
    metadata,
    _tenant(),
    Column("device_code", LargeBinary(32), primary_key=True),  # SHA-256
    Column("user_code", LargeBinary(32), nullable=False),  # SHA-256
    Column("state", String(16), nullable=False),  # `waiting`, `approved`, `denied`, `spent`
    Column("user", LargeBinary(32)),
    Column("issuer", String(300)),  # of who approved
    Column("polled_at_ms", BigInteger),
    Column("expires_at_ms", BigInteger, nullable=False),
    UniqueConstraint("tenant", "user_code"),
    Index(None, "tenant", "expires_at_ms"),
)

api_limits = Table(  # where a chain has others than the configuration's `public_api`
    "api_limits",
    metadata,
    _tenant(),
    Column("uploads_per_day", Integer, nullable=False),
    Column("uploads_per_minute", Integer, nullable=False),
    Column("requests_per_minute", Integer, nullable=False),
    Column("recommendation_days", Integer, nullable=False),
)

api_usage = Table(
    "api_usage",
    metadata,
    _tenant(),
    Column("day", String(10), primary_key=True),
    Column("uploads", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)

notices = Table(  # what people read before they say yes; older ones stay known by their digest
    "notices",
    metadata,
    _tenant(),
    Column("language", String(16), primary_key=True),
    Column("sha256", LargeBinary(32), primary_key=True),
    Column("text", String(8000), nullable=False),
    Column("valid_days", Integer, nullable=False),  # how long the text says that a picture is kept
    Column("own", Boolean, nullable=False),  # the chain's; false: a built-in one to which somebody agreed
    Column("added_at_ms", BigInteger, nullable=False),
)

uploads = Table(  # the ticket of a signed URL, and what became of it
    "uploads",
    metadata,
    _tenant(),
    Column("request", LargeBinary(16), primary_key=True),  # UUID version 7
    _user(),
    Column("state", String(16), nullable=False),  # as `cloud.intake.values.UploadState`
    Column("purpose", String(32), nullable=False),  # `recommend`, `recommend_and_improve`
    Column("content_type", String(64), nullable=False),
    Column("content_length", Integer, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("object_key", String(200), nullable=False),
    Column("context", JSON, nullable=False),  # as the model's manifest names it
    Column("idempotency", LargeBinary(32)),  # SHA-256 of user and Idempotency-Key
    Column("fingerprint", LargeBinary(32)),  # SHA-256 of the request that had it
    Column("issued_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),  # of the URL
    Column("arrived_at_ms", BigInteger),  # the ticket was consumed
    Column("ended_at_ms", BigInteger),
    Column("problem", String(32)),  # why it failed: `cloud.intake.values.UploadProblem`
    Column("detail", String(300)),  # the same in a sentence for the client
    Column("deleted_at_ms", BigInteger),  # the picture is gone from the intake bucket
    Column("consent", JSON),  # what the person agreed to; only with `recommend_and_improve`
    Column("blank", LargeBinary(16)),  # the consent's id, once the picture was sealed under it
    Index(None, "tenant", "user", "issued_at_ms"),
    Index(None, "tenant", "state", "expires_at_ms"),
    UniqueConstraint("tenant", "idempotency"),
)

jobs = Table(  # work that waits; a finished job has no row. Ids only: other tenants' workers may list them
    "jobs",
    metadata,
    _tenant(),
    Column("job", LargeBinary(16), primary_key=True),  # of the upload
    Column("queue", String(16), primary_key=True),  # as `cloud.jobs.values.Queue`
    Column("state", String(16), nullable=False),  # `ready`, `leased`, `dead`
    Column("attempts", Integer, nullable=False),
    Column("enqueued_at_ms", BigInteger, nullable=False),
    Column("ready_at_ms", BigInteger, nullable=False),  # when it may be taken next, by the database's clock
    Column("lease_token", LargeBinary(16)),
    Column("lease_until_ms", BigInteger),
    Column("error", String(500)),
    Index(None, "queue", "tenant", "ready_at_ms"),
)

recommendations = Table(
    "recommendations",
    metadata,
    _tenant(),
    Column("request", LargeBinary(16), primary_key=True),
    _user(),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("source", String(16), nullable=False),  # `model`, `bestsellers`
    Column("slate", JSON, nullable=False),  # [{"flavour", "name", "probability"}]
    Column("release", Integer),
    Column("model_digest", String(64)),
    Column("model_version", String(64)),
    Column("picture_version", String(256)),  # of the sealed picture in the versioned bucket
    Column("picture_sha256", LargeBinary(32), nullable=False),
    Column("nobody", Float),
    Column("inference_ms", Float),
    Column("latency_ms", Float, nullable=False),  # from the ticket's consumption
    Column("outcome", JSON),  # what was bought
    Column("outcome_at_ms", BigInteger),
    Index(None, "tenant", "user", "created_at_ms"),
    Index(None, "tenant", "expires_at_ms"),
)

web_blanks = Table(  # consent blanks for pictures that come by the public API; the keeper fills the stock
    "web_blanks",
    metadata,
    _tenant(),
    Column("blank", LargeBinary(16), primary_key=True),
    Column("signed", LargeBinary, nullable=False),
    Column("usable_until_ms", BigInteger, nullable=False),
    Column("request", LargeBinary(16)),  # which upload took it
    Column("message", LargeBinary),  # the sealed, signed picture, from then until it is deposited
    UniqueConstraint("tenant", "request"),  # one upload, one consent
)

handovers = Table(  # consents given on a phone, after scanning a register's code
    "handovers",
    metadata,
    _tenant(),
    Column("handover", LargeBinary(16), primary_key=True),  # the code's own id: used once
    _register(primary=False),
    Column("interaction", LargeBinary(16), nullable=False),
    _user(),
    Column("state", String(16), nullable=False),  # as `cloud.privacy.handover_values.GivenState`
    Column("purposes", JSON, nullable=False),
    Column("notice", LargeBinary(32), nullable=False),
    Column("language", String(16), nullable=False),
    Column("granted_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),  # of the code: the picture waits no longer
    Column("sent_at_ms", BigInteger),
    Index(None, "tenant", "user"),
    Index(None, "tenant", "state", "expires_at_ms"),
)

register_notices = Table(  # what a register shows, as it says itself; older texts stay known by their digest
    "register_notices",
    metadata,
    _tenant(),
    _register(),
    Column("language", String(16), primary_key=True),
    Column("sha256", LargeBinary(32), primary_key=True),
    Column("text", String(4000), nullable=False),
    Column("purposes", JSON, nullable=False),
    Column("valid_days", Integer, nullable=False),
    Column("heard_at_ms", BigInteger, nullable=False),  # the newest of a language is what is shown now
)

erasure_proofs = Table(  # what a person who erased everything holds in hand; nothing here names them
    "erasure_proofs",
    metadata,
    _tenant(),
    Column("proof", LargeBinary(16), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("detail", JSON, nullable=False),  # counts and instants
    Column("pending", JSON),  # consents and hand-overs that it waits for; null once all are erased
    Column("settled", Boolean, nullable=False),  # the instants stand in `detail`
    Index(None, "tenant", "settled"),
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
