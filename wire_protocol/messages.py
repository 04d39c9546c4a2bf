"""The payload of every kind of message: what registers and the cloud tell each other.

Times are milliseconds since 1970-01-01 UTC by the sender's clock. Interaction ids are UUIDs version 7, as 16
bytes; flavours are ids of the tenant's catalogue.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from wire_protocol.fields import (
    Count,
    Digest32,
    Id16,
    Many,
    Milliseconds,
    Name,
    Number,
    Octets,
    Probability,
    Sha256Hex,
    Text,
    TimeMs,
    Uint,
    Version,
)
from wire_protocol.fleet_messages import (
    DesiredDown,
    FileBlockDown,
    FileRequestUp,
    MetadataSeen,
    ModelHealth,
    Release,
    ShadowHealth,
    UpdateProgress,
)
from wire_protocol.handover_messages import HandoverDown, NoticeUp
from wire_protocol.limits import (
    BLANKS_PER_MESSAGE_MAX,
    CONSENT_BLANK_MAX_BYTES,
    PICTURE_MAX_BYTES,
)
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Kind, Up

# ---- up ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FrameUp:
    """A sealed picture; attached: the consent receipt, the sealed bytes."""

    interaction: Id16
    consent: Id16
    captured_at: TimeMs
    width: Annotated[int, Uint(4096, 16)]
    height: Annotated[int, Uint(4096, 16)]
    picture_bytes: Annotated[int, Uint(PICTURE_MAX_BYTES, 1)]
    """Length of the JPEG inside the seal."""


@dataclass(frozen=True, slots=True)
class ConsentUp:
    """A consent was given; attached: the consent receipt."""

    consent: Id16
    interaction: Id16


@dataclass(frozen=True, slots=True)
class WithdrawalUp:
    """A consent was withdrawn at the register."""

    consent: Id16
    withdrawn_at: TimeMs


@dataclass(frozen=True, slots=True)
class Offered:
    """One flavour of a slate, in its position."""

    flavour: Name
    probability: Probability | None = None


@dataclass(frozen=True, slots=True)
class ContextEntry:
    """One feature of the context as the model was given it; without a value it was unknown."""

    name: Annotated[str, Text(32)]
    number: Annotated[float, Number(-1e9, 1e9)] | None = None
    text: Annotated[str, Text(64)] | None = None


class InteractionArm(StrEnum):
    """Which policy chose the slate."""

    MODEL = "model"
    EXPLORE = "explore"
    BESTSELLERS = "bestsellers"


class InteractionSource(StrEnum):
    """What the slate really is."""

    MODEL = "model"
    BESTSELLERS = "bestsellers"


@dataclass(frozen=True, slots=True)
class InteractionUp:
    """One recommendation with all that measurement needs."""

    interaction: Id16
    store: Name
    shown_at: TimeMs
    slate: Annotated[tuple[Offered, ...], Many(3)]
    arm: InteractionArm
    source: InteractionSource
    propensity: Probability
    menu_version: Count
    in_stock: Annotated[tuple[Name, ...], Many(64)]
    context: Annotated[tuple[ContextEntry, ...], Many(16)]
    total_ms: Milliseconds
    displayed_at: TimeMs | None = None
    reason: Annotated[str, Text(32)] | None = None
    model_digest: Sha256Hex | None = None
    model_version: Version | None = None
    nobody: Probability | None = None
    scores: Annotated[tuple[Annotated[float, Number(-1e6, 1e6)], ...], Many(64)] | None = None
    frame_age_ms: Milliseconds | None = None
    inference_ms: Milliseconds | None = None


@dataclass(frozen=True, slots=True)
class Sold:
    """So many scoops of one flavour."""

    flavour: Name
    quantity: Annotated[int, Uint(99, 1)]


@dataclass(frozen=True, slots=True)
class OutcomeUp:
    """What was bought; without an interaction, a sale that nothing was recommended for."""

    outcome: Id16
    store: Name
    sold_at: TimeMs
    receipt_hmac: Digest32
    lines: Annotated[tuple[Sold, ...], Many(50, 1)]
    interaction: Id16 | None = None
    since_shown_ms: Count | None = None


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter of the register."""

    name: Annotated[str, Text(64)]
    value: Count


@dataclass(frozen=True, slots=True)
class ReportUp:
    """How the register is; sent at connecting, when its model changes, and every few minutes.

    Asks for blanks when they run low. `model_digest` is that of the network in memory: what runs, whatever
    was wanted.
    """

    agent_version: Version
    at: TimeMs
    uptime_s: Count
    blanks_left: Count
    blanks_wanted: Annotated[int, Uint(BLANKS_PER_MESSAGE_MAX)]
    spooled_messages: Count
    spooled_bytes: Count
    counters: Annotated[tuple[Counter, ...], Many(64)]
    model_digest: Sha256Hex | None = None
    model_version: Version | None = None
    generation: Count = 0
    """The newest desired state that this register knows."""
    release: Release | None = None
    """Of the model in memory; none for a model that came without a release."""
    certificate_until: TimeMs | None = None
    camera: Annotated[str, Text(16)] | None = None
    update: UpdateProgress | None = None
    metadata: MetadataSeen | None = None
    health: ModelHealth | None = None
    shadow: ShadowHealth | None = None


@dataclass(frozen=True, slots=True)
class StatusUp:
    """Whether the register is connected; the last will says false."""

    online: bool
    since: TimeMs
    agent_version: Version


# ---- down -------------------------------------------------------------------------------------------------


class Verdict(StrEnum):
    """What became of a message; all but `retry` are final."""

    STORED = "stored"
    REFUSED = "refused"
    GONE = "gone"  # its consent was withdrawn or erased: delete every copy
    RETRY = "retry"  # nothing is wrong with it; send it again after `retry_after_ms`


@dataclass(frozen=True, slots=True)
class ReceiptDown:
    """The cloud's signed proof; a pure function of the stored row, so a repeated message gets it again."""

    message: Id16
    sha256: Digest32
    """Of the whole MQTT payload that was received."""
    verdict: Verdict
    received_at: TimeMs
    version: Annotated[str, Text(256)] | None = None
    """Of a stored frame: the version id of its object."""
    reason: Reason | None = None
    retry_after_ms: Annotated[int, Uint(3_600_000)] | None = None

    def __post_init__(self) -> None:
        """Raise ValueError where verdict and the other fields contradict each other."""
        if (self.reason is not None) != (self.verdict is Verdict.REFUSED):
            raise ValueError("a refusal has a reason, nothing else has")
        if (self.retry_after_ms is not None) != (self.verdict is Verdict.RETRY):
            raise ValueError("only retry says when")


@dataclass(frozen=True, slots=True)
class BlanksDown:
    """New consent blanks, each a COSE_Sign1 of its own."""

    blanks: Annotated[
        tuple[Annotated[bytes, Octets(CONSENT_BLANK_MAX_BYTES, 1)], ...], Many(BLANKS_PER_MESSAGE_MAX)
    ]


@dataclass(frozen=True, slots=True)
class EraseDown:
    """Consents that ended: delete what is still spooled under them."""

    consents: Annotated[tuple[Id16, ...], Many(200, 1)]


Payload = (
    FrameUp
    | ConsentUp
    | WithdrawalUp
    | InteractionUp
    | OutcomeUp
    | ReportUp
    | StatusUp
    | FileRequestUp
    | ReceiptDown
    | BlanksDown
    | EraseDown
    | DesiredDown
    | FileBlockDown
    | NoticeUp
    | HandoverDown
)

PAYLOADS: Final[dict[Kind, type[Payload]]] = {
    Up.FRAME: FrameUp,
    Up.CONSENT: ConsentUp,
    Up.WITHDRAWAL: WithdrawalUp,
    Up.INTERACTION: InteractionUp,
    Up.OUTCOME: OutcomeUp,
    Up.REPORT: ReportUp,
    Up.STATUS: StatusUp,
    Up.FILE_REQUEST: FileRequestUp,
    Up.NOTICE: NoticeUp,
    Down.RECEIPT: ReceiptDown,
    Down.BLANKS: BlanksDown,
    Down.ERASE: EraseDown,
    Down.DESIRED: DesiredDown,
    Down.FILE_BLOCK: FileBlockDown,
    Down.HANDOVER: HandoverDown,
}

ATTACHED: Final[dict[Kind, tuple[str, ...]]] = {
    Up.FRAME: ("consent receipt", "sealed picture"),
    Up.CONSENT: ("consent receipt",),
    Down.FILE_BLOCK: ("piece of the file",),
}
"""What follows the envelope, in this order; other kinds carry nothing."""
