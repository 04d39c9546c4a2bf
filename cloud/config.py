"""The cloud's configuration: one frozen tree for all of its services; each key stands here once.

`config_settings` says how it is read, `config_sources` reads file and environment. The JSON Schema, the
environment variables' names and the documentation's table come from the same fields.
"""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from daemon.settings_key import about

_HOST = r"[A-Za-z0-9_.:-]{1,253}"
_ADDRESS = r"https?://[^/\s]{1,253}(/\S*)?"


def _port(default: int, what: str) -> Any:
    return field(default=default, metadata=about(f"{what}; 0 lets the system choose one", low=0, high=65_535))


@dataclass(frozen=True, slots=True)
class S3Config:
    """The store of frames."""

    endpoint_url: str | None = field(
        default=None, metadata=about("address of the S3 server; without it, Amazon's", pattern=_ADDRESS)
    )
    public_endpoint_url: str | None = field(
        default=None,
        metadata=about("the same server as clients outside reach it, for signed URLs", pattern=_ADDRESS),
    )
    region: str = field(default="us-east-1", metadata=about("region", pattern=r"[a-z0-9-]{1,64}"))
    bucket: str = field(
        default="topscoop-frames",
        metadata=about("bucket of the frames; it keeps versions", pattern=r"[a-z0-9][a-z0-9.-]{2,62}"),
    )
    access_key: str | None = field(
        default=None, metadata=about("access key; without it, the machine's own role", secret=True)
    )
    secret_key: str | None = field(
        default=None, metadata=about("secret that belongs to the access key", secret=True)
    )
    path_style: bool = field(
        default=True, metadata=about("the bucket stands in the path, not in the host's name")
    )
    ca_file: Path | None = field(
        default=None,
        metadata=about("authorities (PEM) of the server; default: the system's"),
    )
    emulated: bool = field(
        default=False, metadata=about("the server is an imitation that checks nothing; development only")
    )
    connect_timeout_s: float = field(
        default=5.0, metadata=about("how long a connection may take", low=0.1, high=120)
    )
    request_timeout_s: float = field(
        default=20.0, metadata=about("how long one request may take", low=0.5, high=600)
    )
    cold_after_days: int = field(
        default=30,
        metadata=about(
            "after so long a frame goes to the colder storage class, if one is named", low=1, high=1096
        ),
    )
    cold_storage_class: str | None = field(
        default=None, metadata=about("storage class of older frames", pattern=r"[A-Z_]{1,32}")
    )

    def __post_init__(self) -> None:
        """Refuse half of what belongs together.

        Raises:
            ValueError: One of the two keys is missing.
        """
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("access_key and secret_key belong together")


@dataclass(frozen=True, slots=True)
class MqttConfig:
    """The broker, as the services reach it."""

    host: str = field(default="127.0.0.1", metadata=about("host of the listener for services", pattern=_HOST))
    port: int = field(default=8884, metadata=about("its TCP port", low=1, high=65_535))
    tls: bool = field(
        default=True, metadata=about("TLS with certificates on both sides; false: development only")
    )
    ca_file: Path | None = field(
        default=None,
        metadata=about("authorities (PEM) of the broker; default: state_dir/pki/services-ca.crt"),
    )
    certificate_file: Path | None = field(
        default=None, metadata=about("this service's certificate (PEM); default: made in state_dir by setup")
    )
    key_file: Path | None = field(default=None, metadata=about("the certificate's private key (PEM)"))
    username: str | None = field(
        default=None,
        metadata=about("user name; with TLS the certificate says it", pattern=r"[\x21-\x7e]{1,64}"),
    )
    password: str | None = field(default=None, metadata=about("password of that user", secret=True))
    client_id_prefix: str = field(
        default="topscoop",
        metadata=about(
            "client ids begin with it; several clouds at one broker differ", pattern=r"[a-z0-9-]{1,32}"
        ),
    )
    keepalive_s: int = field(
        default=30, metadata=about("a silent broker is noticed after so long", low=5, high=600)
    )

    def __post_init__(self) -> None:
        """Refuse half of what belongs together.

        Raises:
            ValueError: Certificate or key is missing.
        """
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file belong together")


@dataclass(frozen=True, slots=True)
class MasterKeyConfig:
    """What wraps the keys of consents."""

    kind: Literal["kms", "file"] = field(
        default="kms", metadata=about("kms, or a file in state_dir: development only")
    )
    kms_key_id: str | None = field(default=None, metadata=about("id, alias or ARN of the key in KMS"))
    kms_endpoint_url: str | None = field(
        default=None, metadata=about("address of KMS; without it, Amazon's", pattern=_ADDRESS)
    )
    kms_region: str = field(default="us-east-1", metadata=about("region of KMS", pattern=r"[a-z0-9-]{1,64}"))
    file: Path | None = field(default=None, metadata=about("file of the key; default: state_dir/master.key"))


@dataclass(frozen=True, slots=True)
class EnrolmentConfig:
    """The service that lets registers in."""

    host: str = field(default="127.0.0.1", metadata=about("address to listen on", pattern=_HOST))
    port: int = _port(8443, "TCP port of HTTPS")
    public_url: str = field(
        default="https://localhost:8443",
        metadata=about("this service as registers reach it", pattern=r"https://[^/\s]{1,253}"),
    )
    broker_host: str = field(
        default="localhost", metadata=about("the broker's host as registers reach it", pattern=_HOST)
    )
    broker_port: int = field(
        default=8883, metadata=about("TCP port of its listener for registers", low=1, high=65_535)
    )
    certificate_days: int = field(
        default=90,
        metadata=about("life of a register's certificate; it renews at two thirds", low=1, high=825),
    )
    code_minutes: int = field(default=15, metadata=about("life of an enrolment code", low=1, high=1440))
    code_tries: int = field(
        default=5, metadata=about("wrong tries that an enrolment code bears", low=1, high=20)
    )
    health_port: int = _port(8723, "TCP port of /healthz, /readyz and /metrics")


@dataclass(frozen=True, slots=True)
class CollectorConfig:
    """The service that stores what registers send."""

    in_flight: int = field(
        default=256, metadata=about("messages in work at once; the broker holds the rest", low=1, high=10_000)
    )
    batch_max: int = field(default=64, metadata=about("messages in one transaction", low=1, high=1000))
    batch_ms: int = field(
        default=250,
        metadata=about(
            "how long a transaction waits for more messages at most; never over an eighth of what they take",
            low=0,
            high=1000,
        ),
    )
    lease_s: int = field(
        default=30,
        metadata=about("after so long another collector may take over a message", low=1, high=3600),
    )
    attempts: int = field(
        default=3, metadata=about("a message that fails so often goes to quarantine", low=1, high=100)
    )
    retry_after_s: int = field(
        default=15, metadata=about("a register waits so long when storage is away", low=1, high=3600)
    )
    sweep_every_s: int = field(
        default=60, metadata=about("how often versions without a row are looked for", low=1, high=86_400)
    )
    sweep_after_s: int = field(
        default=600, metadata=about("a version without a row is deleted after so long", low=1, high=86_400)
    )
    object_client: Literal["obstore", "boto3"] = field(
        default="obstore", metadata=about("library that stores frames; the other one for comparison")
    )
    health_port: int = _port(8721, "TCP port of /healthz, /readyz and /metrics")


@dataclass(frozen=True, slots=True)
class KeeperConfig:
    """The service that issues consent blanks and erases."""

    poll_ms: int = field(
        default=500, metadata=about("how often withdrawals are looked for", low=10, high=60_000)
    )
    retention_every_s: int = field(
        default=300, metadata=about("how often expired frames are looked for", low=1, high=86_400)
    )
    stock_blanks: int = field(
        default=2000,
        metadata=about(
            "blanks that a register holds at most; about 14 days of its peak", low=1, high=100_000
        ),
    )
    blank_days: int = field(
        default=90, metadata=about("an unused blank and its key end after so long", low=1, high=366)
    )
    web_blanks: int = field(
        default=1000,
        metadata=about(
            "blanks of a chain for pictures that come by the public API; they are made again in seconds",
            low=0,
            high=100_000,
        ),
    )
    health_port: int = _port(8722, "TCP port of /healthz, /readyz and /metrics")


@dataclass(frozen=True, slots=True)
class ReleasesConfig:
    """Where the chains' signed release repositories lie; `topscoop model publish` writes there."""

    folder: Path | None = field(
        default=None,
        metadata=about("folder that holds tuf/<tenant>/; without it, the bucket of S3"),
    )
    bucket: str = field(
        default="topscoop-releases",
        metadata=about("bucket of the repositories", pattern=r"[a-z0-9][a-z0-9.-]{2,62}"),
    )
    look_every_s: float = field(
        default=30.0,
        metadata=about("how often signed metadata is looked at for new releases", low=0.2, high=86_400),
    )


@dataclass(frozen=True, slots=True)
class FilesConfig:
    """The service that gives registers their chain's release files over MQTT."""

    bytes_per_s: int = field(
        default=2_000_000,
        metadata=about("bytes a second for one register at most", low=10_000, high=1_000_000_000),
    )
    cache_mb: int = field(default=64, metadata=about("files that are kept in memory", low=1, high=65_536))
    health_port: int = _port(8724, "TCP port of /healthz, /readyz and /metrics")


@dataclass(frozen=True, slots=True)
class RolloutConfig:
    """The controller that brings releases to registers."""

    tick_ms: int = field(default=1000, metadata=about("how often it decides", low=50, high=60_000))
    health_port: int = _port(8725, "TCP port of /healthz, /readyz and /metrics")


@dataclass(frozen=True, slots=True)
class ConsoleConfig:
    """The operators' web pages."""

    host: str = field(default="127.0.0.1", metadata=about("address to listen on", pattern=_HOST))
    port: int = _port(8730, "TCP port of the pages")
    public_url: str = field(
        default="http://localhost:8730",
        metadata=about(
            "the pages as browsers reach them; https but in development", pattern=r"https?://[^/\s]{1,253}"
        ),
    )
    oidc_issuer: str | None = field(
        default=None, metadata=about("the identity provider's issuer", pattern=_ADDRESS)
    )
    oidc_client_id: str = field(
        default="topscoop-console", metadata=about("our client id there", pattern=r"[\x21-\x7e]{1,200}")
    )
    oidc_client_secret: str | None = field(default=None, metadata=about("our secret there", secret=True))
    session_hours: int = field(
        default=12, metadata=about("an operator logs in again after so long", low=1, high=168)
    )
    idle_minutes: int = field(
        default=60, metadata=about("or after so long without a click", low=5, high=1440)
    )
    health_port: int = _port(8726, "TCP port of /healthz, /readyz and /metrics")


@dataclass(frozen=True, slots=True)
class PublicApiConfig:
    """The API for phones, kiosks and partners."""

    host: str = field(default="127.0.0.1", metadata=about("address to listen on", pattern=_HOST))
    port: int = _port(8740, "TCP port of HTTP; TLS is the gateway's")
    public_url: str = field(
        default="http://{tenant}.localhost:8740",
        metadata=about(
            "the API as clients reach it; {tenant} is the chain's name; https but in development",
            pattern=r"https?://\{tenant\}\.[^/\s{}]{1,253}",
        ),
    )
    ticket_s: int = field(default=60, metadata=about("life of a signed upload URL", low=5, high=60))
    picture_max_bytes: int = field(
        default=5_000_000, metadata=about("largest picture that may be uploaded", low=10_000, high=5_000_000)
    )
    wait_max_s: int = field(
        default=30, metadata=about("how long a client may wait for an answer in one request", low=1, high=60)
    )
    session_hours: int = field(
        default=24, metadata=about("a person logs in again after so long", low=1, high=720)
    )
    idle_minutes: int = field(
        default=120, metadata=about("or after so long without a request", low=5, high=43_200)
    )
    token_minutes: int = field(
        default=60, metadata=about("life of a token for a machine or a device", low=5, high=1440)
    )
    uploads_per_day: int = field(
        default=100_000, metadata=about("uploads of a chain a day", low=0, high=100_000_000)
    )
    uploads_per_minute: int = field(
        default=60, metadata=about("uploads of one person a minute", low=1, high=1_000_000)
    )
    requests_per_minute: int = field(
        default=600, metadata=about("requests of one person a minute", low=1, high=10_000_000)
    )
    recommendation_days: int = field(
        default=30, metadata=about("a recommendation is forgotten after so long", low=1, high=1096)
    )
    gateways: str | None = field(
        default=None,
        metadata=about(
            "addresses or networks of gateways, by commas; the last of their X-Forwarded-For is believed",
            pattern=r"[0-9a-fA-F:./, ]{2,1000}",
        ),
    )
    health_port: int = _port(8727, "TCP port of /healthz, /readyz and /metrics")

    def __post_init__(self) -> None:
        """Raises ValueError: a gateway's address is none."""
        self.gateway_networks  # noqa: B018 - a slip is told at the start, not at the first request

    @property
    def gateway_networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """The gateways, read."""
        named = [one.strip() for one in (self.gateways or "").split(",")]
        try:
            return tuple(ipaddress.ip_network(one, strict=False) for one in named if one)
        except ValueError as error:
            raise ValueError(f"gateways: {error}") from None


@dataclass(frozen=True, slots=True)
class IntakeConfig:
    """The bucket that pictures are uploaded to, and the service that hears of them."""

    bucket: str = field(
        default="topscoop-intake",
        metadata=about("bucket of uploads; it keeps no versions", pattern=r"[a-z0-9][a-z0-9.-]{2,62}"),
    )
    host: str = field(default="127.0.0.1", metadata=about("address of the webhook", pattern=_HOST))
    port: int = _port(8741, "TCP port where the S3 server reports uploads")
    webhook_token: str | None = field(
        default=None, metadata=about("what the S3 server must say there; without it, no webhook", secret=True)
    )
    webhook_url: str | None = field(
        default=None,
        metadata=about(
            "the webhook as the S3 server reaches it, with /events; set-up then makes a topic at Ceph",
            pattern=_ADDRESS,
        ),
    )
    queue_url: str | None = field(
        default=None, metadata=about("SQS queue of the bucket's events; without it, none", pattern=_ADDRESS)
    )
    queue_endpoint_url: str | None = field(
        default=None, metadata=about("address of SQS; without it, Amazon's", pattern=_ADDRESS)
    )
    reconcile_every_s: float = field(
        default=5.0, metadata=about("how often uploads without an event are looked for", low=0.2, high=60)
    )
    plaintext_s: int = field(
        default=120, metadata=about("no picture stays in the bucket longer", low=30, high=600)
    )
    health_port: int = _port(8728, "TCP port of /healthz, /readyz and /metrics")


@dataclass(frozen=True, slots=True)
class RecommenderConfig:
    """The service that looks at uploaded pictures; start as many as there is work for."""

    batch_max: int = field(default=16, metadata=about("uploads taken at once", low=1, high=256))
    lease_s: int = field(
        default=15, metadata=about("after so long another worker may take over an upload", low=2, high=300)
    )
    attempts: int = field(
        default=3, metadata=about("an upload that fails so often is set aside", low=1, high=20)
    )
    models_mb: int = field(
        default=256, metadata=about("memory for the chains' models that are kept warm", low=8, high=65_536)
    )
    health_port: int = _port(8729, "TCP port of /healthz, /readyz and /metrics")


@dataclass(frozen=True, slots=True)
class TenantDefaults:
    """What a new chain gets; `topscoop cloud tenant add` may say otherwise."""

    frames_per_day: int = field(
        default=1_000_000, metadata=about("frames a day; beyond it, later", low=0, high=2_000_000_000)
    )
    bytes_per_day: int = field(
        default=50_000_000_000, metadata=about("bytes of frames a day; beyond it, later", low=0, high=1e18)
    )
    messages_per_minute: int = field(
        default=60_000, metadata=about("messages a minute; beyond it, later", low=1, high=100_000_000)
    )
    retention_days: int = field(
        default=365, metadata=about("a frame is erased after so long, or with its consent", low=1, high=1096)
    )


@dataclass(frozen=True, slots=True)
class HealthConfig:
    """Where services answer /healthz, /readyz and /metrics."""

    host: str = field(default="127.0.0.1", metadata=about("address to listen on", pattern=_HOST))


@dataclass(frozen=True, slots=True)
class LogConfig:
    """What is written to standard error."""

    format: Literal["auto", "json", "human"] = field(
        default="auto", metadata=about("auto: human on a terminal, else JSON lines")
    )
    level: Literal["debug", "info", "warning", "error"] = field(
        default="info", metadata=about("the least that is written")
    )


@dataclass(frozen=True, slots=True)
class CloudConfig:
    """Everything that the cloud's services are told; read once at the start."""

    environment: Literal["production", "development"] = field(
        default="production", metadata=about("development allows stand-ins for what protects customers")
    )
    state_dir: Path = field(
        default=Path("/var/lib/topscoop-cloud"),
        metadata=about("folder of certificates, service keys and, with SQLite, the databases"),
    )
    database_url: str = field(
        default="sqlite:///{state_dir}/cloud.sqlite3",
        metadata=about(
            "the database: sqlite:///FILE or postgresql+psycopg://ROLE:PASSWORD@HOST/NAME",
            pattern=r"(sqlite:///|postgresql\+psycopg://)\S+",
            secret=True,
        ),
    )
    keys_url: str = field(
        default="sqlite:///{state_dir}/keys.sqlite3",
        metadata=about(
            "the database of consent keys: another one, with a role of its own",
            pattern=r"(sqlite:///|postgresql\+psycopg://)\S+",
            secret=True,
        ),
    )
    database_owner_url: str | None = field(
        default=None,
        metadata=about(
            "PostgreSQL: the owner of the database's tables; only set-up and restore use it",
            pattern=r"postgresql\+psycopg://\S+",
            secret=True,
        ),
    )
    keys_owner_url: str | None = field(
        default=None,
        metadata=about(
            "PostgreSQL: the owner of the tables of consent keys; only set-up uses it",
            pattern=r"postgresql\+psycopg://\S+",
            secret=True,
        ),
    )
    s3: S3Config = field(default_factory=S3Config)
    mqtt: MqttConfig = field(default_factory=MqttConfig)
    master_key: MasterKeyConfig = field(default_factory=MasterKeyConfig)
    enrolment: EnrolmentConfig = field(default_factory=EnrolmentConfig)
    collector: CollectorConfig = field(default_factory=CollectorConfig)
    keeper: KeeperConfig = field(default_factory=KeeperConfig)
    releases: ReleasesConfig = field(default_factory=ReleasesConfig)
    files: FilesConfig = field(default_factory=FilesConfig)
    rollout: RolloutConfig = field(default_factory=RolloutConfig)
    console: ConsoleConfig = field(default_factory=ConsoleConfig)
    public_api: PublicApiConfig = field(default_factory=PublicApiConfig)
    intake: IntakeConfig = field(default_factory=IntakeConfig)
    recommender: RecommenderConfig = field(default_factory=RecommenderConfig)
    tenant_defaults: TenantDefaults = field(default_factory=TenantDefaults)
    health: HealthConfig = field(default_factory=HealthConfig)
    log: LogConfig = field(default_factory=LogConfig)

    def __post_init__(self) -> None:
        """Put the folder into the addresses that name it.

        Raises:
            ValueError: Keys and data would lie in one database, so that one backup held both.
        """
        for name in ("database_url", "keys_url"):
            url = getattr(self, name).replace("{state_dir}", str(self.state_dir))
            object.__setattr__(self, name, url)
        if self.database_url == self.keys_url:
            raise ValueError("keys_url must name another database than database_url")

    @property
    def development(self) -> bool:
        """Whether stand-ins are allowed."""
        return self.environment == "development"
