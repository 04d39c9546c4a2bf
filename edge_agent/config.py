"""The agent's configuration: one frozen tree; each key stands here once, with default, bounds, meaning.

`config_settings` says how it is read, `config_sources` reads file and environment. The JSON Schema, the
environment variables' names and the documentation's table come from the same fields.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from daemon.settings_key import about
from edge_agent.arms import ArmShares

_ID = r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?"
_LANGUAGE = r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?"
_PURPOSE = r"training|evaluation"
_PRINTABLE = r"[^\x00-\x1f\x7f]{1,120}"


@dataclass(frozen=True, slots=True)
class CameraConfig:
    """Where pictures come from."""

    source: str = field(
        default="0",
        metadata=about(
            "index or path of a V4L2 device, rtsp:// or http:// address, picture, clip, folder, or synthetic:"
        ),
    )
    width: int = field(
        default=640, metadata=about("width to ask the camera for, in pixels", low=160, high=4096)
    )
    height: int = field(
        default=480, metadata=about("height to ask the camera for, in pixels", low=120, high=4096)
    )
    fps: float = field(default=15.0, metadata=about("pictures per second to ask for", low=1, high=120))
    max_age_ms: int = field(
        default=1000,
        metadata=about("an older picture is not used: best-sellers are shown instead", low=50, high=60_000),
    )


@dataclass(frozen=True, slots=True)
class ApiConfig:
    """The local API."""

    host: Literal["127.0.0.1", "::1", "localhost"] = field(
        default="127.0.0.1",
        metadata=about("loopback address to listen on"),
    )
    port: int = field(
        default=8710, metadata=about("TCP port; 0 lets the system choose one", low=0, high=65_535)
    )
    unix_socket: Path | None = field(default=None, metadata=about("listen on this Unix socket as well"))
    pairing_tokens: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "one token per till, at least 16 characters; none: one is made in the data folder",
            pattern=r"[\x21-\x7e]{16,256}",
            secret=True,
        ),
    )
    allowed_origins: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "web origins beside the agent's own that may call the API", pattern=r"https?://[^/\s]{1,253}"
        ),
    )


@dataclass(frozen=True, slots=True)
class ArmsConfig:
    """How interactions are shared out between policies."""

    explore: float = field(
        default=0.05, metadata=about("share of slates sampled from the model's scores", low=0, high=1)
    )
    bestsellers: float = field(
        default=0.10, metadata=about("share of the control: best-sellers", low=0, high=1)
    )
    seed: str = field(
        default="topscoop",
        metadata=about(
            "key of the hash that draws the arm; change it to draw anew", pattern=r"[\x21-\x7e]{1,64}"
        ),
    )

    def __post_init__(self) -> None:
        """Refuse shares above 1 together.

        Raises:
            ValueError: As `ArmShares`.
        """
        ArmShares(self.explore, self.bestsellers)

    @property
    def shares(self) -> ArmShares:
        """The shares as the draw takes them."""
        return ArmShares(self.explore, self.bestsellers)


@dataclass(frozen=True, slots=True)
class PresenceConfig:
    """Interactions that open by themselves when somebody stands there."""

    enabled: bool = field(default=False, metadata=about("open and close interactions without the till"))
    check_every_ms: int = field(
        default=200, metadata=about("how often the camera's picture is looked at", low=30, high=10_000)
    )
    open_after_ms: int = field(
        default=400, metadata=about("somebody must stand there for so long", low=0, high=60_000)
    )
    close_after_ms: int = field(
        default=2000, metadata=about("nobody must stand there for so long", low=0, high=600_000)
    )


@dataclass(frozen=True, slots=True)
class InteractionConfig:
    """The life of an interaction."""

    expire_after_s: int = field(
        default=600, metadata=about("an interaction without purchase ends after so long", low=5, high=86_400)
    )


@dataclass(frozen=True, slots=True)
class MenuConfig:
    """The menu where no model says what there is."""

    bestsellers: tuple[str, ...] = field(
        default=(),
        metadata=about("flavour ids, most sold first, shown while no model was ever loaded", pattern=_ID),
    )


@dataclass(frozen=True, slots=True)
class JournalConfig:
    """The register's record of slates and sales."""

    flush_ms: int = field(
        default=50, metadata=about("a slate is on the disk after at most so long", low=1, high=100)
    )
    max_age_days: int = field(
        default=30, metadata=about("older records are deleted, and counted", low=1, high=3650)
    )
    max_mb: int = field(
        default=256,
        metadata=about("beyond this, the oldest slates are deleted; sales are kept", low=8, high=65_536),
    )


@dataclass(frozen=True, slots=True)
class UplinkConfig:
    """The way to the cloud; who the register is there comes from `topscoop edge enrol`."""

    enabled: bool = field(
        default=False, metadata=about("deliver what was recorded, and consented pictures, to the cloud")
    )
    max_mb: int = field(
        default=512,
        metadata=about(
            "what waits for delivery may take so much; beyond it pictures thin out", low=16, high=65_536
        ),
    )
    in_flight: int = field(
        default=16, metadata=about("messages that may wait for their receipt at once", low=1, high=256)
    )
    sends_per_s: float = field(
        default=50.0,
        metadata=about("messages sent per second at most; a till's work goes first", low=0.1, high=1000),
    )
    report_every_s: int = field(
        default=300, metadata=about("how often the cloud hears how the register is", low=1, high=86_400)
    )
    frame_height: int = field(
        default=480,
        metadata=about("a picture is sent with at most so many pixels of height", low=64, high=1080),
    )
    handover: bool = field(
        default=False,
        metadata=about("the display shows a code, so that customers can say yes on their phone"),
    )
    handover_url: str | None = field(
        default=None,
        metadata=about(
            "the chain's public API as phones reach it; {tenant} is the chain's name",
            pattern=r"https?://[^/\s]{1,200}",
        ),
    )
    handover_hold_s: int = field(
        default=90,
        metadata=about(
            "with a code shown, the picture waits so long in memory instead of consent.answer_within_s",
            low=10,
            high=600,
        ),
    )

    def __post_init__(self) -> None:
        """Refuse codes that lead nowhere.

        Raises:
            ValueError: Says so.
        """
        if self.handover and self.handover_url is None:
            raise ValueError("handover needs handover_url: the address of the chain's public API")


@dataclass(frozen=True, slots=True)
class UpdatesConfig:
    """New models; needs the uplink, and the trusted root of the chain's releases from enrolment."""

    enabled: bool = field(
        default=True, metadata=about("take signed releases that the cloud wants on this register")
    )
    source: str = field(
        default="mqtt",
        metadata=about(
            "where release files come from: mqtt, or the https:// address of a CDN that holds them",
            pattern=r"mqtt|https?://[^\s]{1,300}",
        ),
    )
    max_kbytes_per_s: int = field(
        default=2000,
        metadata=about("download at most so fast; a till's work goes first", low=8, high=1_000_000),
    )
    trial_s: float = field(
        default=60.0, metadata=about("a new model is on trial at least so long", low=1, high=86_400)
    )
    trial_recommendations: int = field(
        default=30,
        metadata=about(
            "and until so many answers; the register looks at its camera by itself", low=1, high=100_000
        ),
    )


@dataclass(frozen=True, slots=True)
class ConsentConfig:
    """Asking the customer whether the picture may be kept; nothing is kept without a yes."""

    ask_on_display: bool = field(
        default=True, metadata=about("the customer's display asks; else only the till does")
    )
    answer_within_s: int = field(
        default=60,
        metadata=about("no answer in this time is a no: the picture is overwritten", low=5, high=600),
    )
    valid_days: int = field(
        default=365,
        metadata=about("a consent ends after so many days; stands in the notice", low=1, high=1095),
    )
    purposes: tuple[str, ...] = field(
        default=("training",),
        metadata=about("what the display asks for: training, evaluation", pattern=_PURPOSE),
    )
    controller: str = field(
        default="this shop",
        metadata=about("who is answerable for the pictures; stands in the notice", pattern=_PRINTABLE),
    )
    notice_dir: Path | None = field(
        default=None,
        metadata=about("folder with notices of your own, <language>.txt; else the built-in ones"),
    )

    def __post_init__(self) -> None:
        """Refuse to ask for nothing, or for the same twice.

        Raises:
            ValueError: Says so.
        """
        if not self.purposes or len(set(self.purposes)) != len(self.purposes):
            raise ValueError("purposes must name at least one purpose, each once")


@dataclass(frozen=True, slots=True)
class SamplingConfig:
    """Which consented pictures are worth the bandwidth."""

    rule: Literal["all", "share", "near-tie"] = field(
        default="all", metadata=about("all; a share; or where the third and the fourth flavour were close")
    )
    share: float = field(default=1.0, metadata=about("of the pictures, with rule share", low=0, high=1))
    margin: float = field(
        default=0.5,
        metadata=about("largest difference of the two scores (logits), with rule near-tie", low=0, high=100),
    )
    per_flavour_per_day: int = field(
        default=0,
        metadata=about("pictures a day with one flavour in first place; 0: no bound", low=0, high=100_000),
    )
    per_hour: int = field(default=0, metadata=about("pictures an hour; 0: no bound", low=0, high=100_000))
    per_day: int = field(default=0, metadata=about("pictures a day; 0: no bound", low=0, high=100_000))


@dataclass(frozen=True, slots=True)
class LogConfig:
    """What is written to standard error."""

    format: Literal["auto", "json", "human"] = field(
        default="auto",
        metadata=about("auto: human on a terminal, else JSON lines"),
    )
    level: Literal["debug", "info", "warning", "error"] = field(
        default="info",
        metadata=about("the least that is written"),
    )


@dataclass(frozen=True, slots=True)
class EdgeConfig:
    """Everything that one agent is told; read once at the start."""

    tenant: str = field(metadata=about("id of the chain", pattern=_ID))
    store: str = field(metadata=about("id of the shop", pattern=_ID))
    register: str = field(metadata=about("id of this till within the chain", pattern=_ID))
    shop_kind: str | None = field(
        default=None,
        metadata=about("kind of shop as the model knows it: beach, park, station, mall", pattern=_ID),
    )
    language: str = field(default="en", metadata=about("language of flavour names", pattern=_LANGUAGE))
    data_dir: Path = field(
        default=Path("/var/lib/topscoop"), metadata=about("folder for records; one agent per folder")
    )
    model_dir: Path | None = field(
        default=None, metadata=about("model directory; without it, the one that comes with Topscoop")
    )
    camera: CameraConfig = field(default_factory=CameraConfig)
    api: ApiConfig = field(default_factory=ApiConfig)
    arms: ArmsConfig = field(default_factory=ArmsConfig)
    presence: PresenceConfig = field(default_factory=PresenceConfig)
    interaction: InteractionConfig = field(default_factory=InteractionConfig)
    menu: MenuConfig = field(default_factory=MenuConfig)
    journal: JournalConfig = field(default_factory=JournalConfig)
    uplink: UplinkConfig = field(default_factory=UplinkConfig)
    updates: UpdatesConfig = field(default_factory=UpdatesConfig)
    consent: ConsentConfig = field(default_factory=ConsentConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    log: LogConfig = field(default_factory=LogConfig)
