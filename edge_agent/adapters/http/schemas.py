"""The bodies of the local API; requests are checked against them, answers are described by them.

Requests are strict: no unknown field, no text where a number belongs. Meaning (is there such a flavour?)
is checked by the agent, once, whichever way a request came in.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FlavourId = Annotated[str, Field(max_length=64, description="id from the catalogue", examples=["pistachio"])]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


class _Answer(BaseModel):
    # Only ever described, never built.
    model_config = ConfigDict(extra="forbid", defer_build=True)


class InteractionContext(_Request):
    """What the till knows and the register does not; all of it may be left out."""

    temperature_c: float | None = Field(None, description="outside temperature", examples=[24.5])
    hour: float | None = Field(None, description="hour of the day, if the register's clock is not the shop's")
    weekday: int | None = Field(None, description="Monday = 0, if the register's clock is not the shop's")


class InteractionRequest(_Request):
    """Opens an interaction; the body may be empty."""

    context: InteractionContext | None = None


class OfferAnswer(_Answer):
    """One flavour of the slate."""

    flavour: FlavourId
    name: str = Field(description="in the register's language")
    probability: float | None = Field(
        description="of being bought, calibrated; null where no model was asked"
    )


class InteractionAnswer(_Answer):
    """A recommendation."""

    interaction_id: str = Field(description="UUID version 7; to be given with the outcome")
    top3: list[OfferAnswer] = Field(description="best first; fewer than three when fewer are in stock")
    source: Literal["model", "bestsellers"] = Field(description="say to the customer what it is")
    reason: str | None = Field(description="why best-sellers are shown: control, nobody, camera-away, …")
    arm: Literal["model", "explore", "bestsellers"]
    model: str | None = Field(description="version of the model in use")
    frame_age_ms: float | None
    inference_ms: float | None
    total_ms: float = Field(description="from the trigger to the recorded slate, inside the agent")


class LineRequest(_Request):
    """So many scoops of one flavour."""

    flavour: FlavourId
    quantity: int = Field(description="1 to 99", examples=[2])


class OutcomeRequest(_Request):
    """What was bought."""

    receipt_id: str = Field(
        description="the till's own number; recorded only as an HMAC", examples=["2026-11-22/0042"]
    )
    lines: list[LineRequest] = Field(description="1 to 50 lines")


class OutcomeAnswer(_Answer):
    """A stored outcome; the same for every repetition."""

    outcome_id: str
    interaction_id: str | None
    stored_at: str = Field(description="when it was on the disk, RFC 3339, UTC")


class ConsentRequest(_Request):
    """What the customer said to the notice; a no needs nothing else."""

    granted: bool
    language: str | None = Field(None, max_length=16, description="of the notice that was shown")
    notice_sha256: str | None = Field(None, description="of the notice that was shown, hex, 64 characters")
    method: Literal["touch", "spoken", "signed"] | None = Field(
        None, description="how the customer said it; a page without pairing token may only say touch"
    )
    purposes: list[Literal["training", "evaluation"]] = Field(
        default=[], description="what the customer agreed to, out of the notice's purposes"
    )


class ConsentAnswer(_Answer):
    """What became of it; after a yes, what belongs on the customer's slip."""

    granted: bool
    consent_id: str | None = Field(None, description="UUID; only after a yes")
    withdrawal_code: str | None = Field(
        None, description="for the slip: 16 characters in groups of four", examples=["7F3K-Q2MD-0X9A-ZT5R"]
    )
    expires_at: str | None = Field(None, description="RFC 3339, UTC")


class NoticeAnswer(_Answer):
    """What a customer reads before answering."""

    language: str
    text: str
    sha256: str = Field(description="of the text in UTF-8, hex; to be sent with the answer")
    purposes: list[str]
    valid_days: int


class HandoverAnswer(_Answer):
    """A code for the customer's phone."""

    url: str = Field(description="what the code holds")
    svg: str = Field(description="the QR code as an SVG element; show it dark on white")
    expires_at: str = Field(examples=["2026-11-23T09:15:00.000Z"])
    expires_in_s: float = Field(description="the same as seconds from now")


class WithdrawalRequest(_Request):
    """The code on the customer's slip."""

    withdrawal_code: str = Field(max_length=64, examples=["7F3K-Q2MD-0X9A-ZT5R"])


class WithdrawalAnswer(_Answer):
    """The consent has ended; what was not sent yet is deleted, the cloud is told."""

    consent_id: str
    withdrawn: Literal[True]


class LaneAnswer(_Answer):
    """What became of everything in one lane: captured is the sum of all that follows, or `lost` is not 0."""

    captured: int
    stored: int
    refused: int
    gone: int = Field(description="their consent ended")
    dropped: dict[str, int] = Field(description="by reason")
    without_consent: int
    spooled: int
    lost: int
    bytes: int = Field(description="that wait")
    oldest_at_ms: int | None
    set_aside: dict[str, int] = Field(description="cannot be delivered as things are, by reason")


class UplinkAnswer(_Answer):
    """The uplink."""

    identity: str = Field(description="tenant/register")
    connected: bool
    blanks_left: int
    held_frames: int = Field(description="pictures in memory that wait for an answer")
    certificate_days_left: float
    lanes: dict[str, LaneAnswer] = Field(description="withdrawals, consents, events, frames")
    used_bytes: int
    blanks: int = Field(description="not used, whether or not they are still usable")
    damaged_files: int


class UplinkOrder(_Request):
    """What to drop."""

    lane: Literal["withdrawals", "consents", "events", "frames"]
    only_set_aside: bool = False


class UplinkChanged(_Answer):
    """How many messages it was."""

    messages: int


class MenuRequest(_Request):
    """The whole of what can be sold now."""

    in_stock: list[FlavourId] = Field(description="every flavour in stock; an empty list is allowed")
    version: int | None = Field(None, description="the till's own number for this menu; must grow")


class FlavourAnswer(_Answer):
    """One flavour of the catalogue."""

    id: FlavourId
    names: dict[str, str] = Field(description="by language")
    colour: str = Field(examples=["#93c572"])
    in_stock: bool


class MenuAnswer(_Answer):
    """The menu in effect."""

    version: int = Field(description="0 until a till has said anything")
    in_stock: list[FlavourId]
    flavours: list[FlavourAnswer] = Field(description="the whole catalogue of the model in use")


class ModelRequest(_Request):
    """Which model to use from now on."""

    model_dir: str = Field(
        max_length=4096, description="directory on the register", examples=["/opt/models/new"]
    )


class ModelAnswer(_Answer):
    """The model in use."""

    model: str = Field(description="its version")
    digest: str = Field(description="SHA-256 of the network in memory")


class InUseAnswer(_Answer):
    """What is in use."""

    source: Literal["release", "installed", "best-sellers"]
    release: int | None


class SlotAnswer(_Answer):
    """One release on this register."""

    release: int
    digest: str = Field(description="SHA-256 of its network")
    directory: str
    verdict: Literal["trial", "good", "bad"]
    at_ms: int
    in_use: bool
    may_run: bool
    not_because: str | None = Field(description="withdrawn, below-floor or not-listed")
    reason: str | None = Field(description="why it is bad")
    words: str | None
    left_generation: int | None = Field(
        description="of the order that turned away from it, or under which a person went back"
    )


class UpdateAnswer(_Answer):
    """The newest attempt at a release."""

    transaction: str
    release: int
    state: str
    reason: str | None
    words: str | None
    at_ms: int
    fetched_bytes: int
    total_bytes: int


class MetadataAnswer(_Answer):
    """The signed metadata that was verified last."""

    root: int
    timestamp: int
    snapshot: int
    targets: int
    expires_at_ms: int = Field(description="later, no new release is taken; what runs goes on")
    releases: list[int]
    withdrawn: list[int]


class ShadowAnswer(_Answer):
    """The release that runs beside the one in use, and is never shown."""

    release: int
    compared: int
    same_first: int
    same_three: int
    errors: int
    p99_ms: float


class ReleasesAnswer(_Answer):
    """The register's releases."""

    in_use: InUseAnswer
    generation: int = Field(description="of the newest desired state")
    desired: int | None = Field(description="its release; none: the installed model")
    returned_by_hand: bool
    floor: int = Field(description="nothing below is run; 0 while none was signed")
    crashes: int = Field(description="starts without an orderly end, since what is in use")
    update: UpdateAnswer | None
    trial_progress: float | None
    metadata: MetadataAnswer | None
    shadow: ShadowAnswer | None
    slots: list[SlotAnswer]


class CheckAnswer(_Answer):
    """State of one part of the agent."""

    ok: bool
    state: str


class HealthAnswer(_Answer):
    """How the agent is."""

    status: Literal["ok", "degraded", "failed"]
    checks: dict[str, CheckAnswer]


class ProblemAnswer(_Answer):
    """An error as RFC 9457 describes it."""

    type: str = Field(examples=["urn:topscoop:problem:unknown-flavour"])
    title: str
    status: int
    detail: str = Field(description="what happened")
    remedy: str | None = Field(None, description="what to do next")
