"""Bodies about recommendations: requests are checked against them, answers are described by them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FlavourId = Annotated[
    str, Field(min_length=1, max_length=32, description="id from the menu", examples=["pistachio"])
]
Instant = Annotated[str, Field(description="RFC 3339, UTC", examples=["2026-11-22T14:03:07.250Z"])]
Sha256Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Answer(BaseModel):
    # Only ever described, never built.
    model_config = ConfigDict(extra="forbid", defer_build=True)


class SoldLine(_Request):
    """So many scoops of one flavour."""

    flavour: FlavourId
    quantity: Annotated[int, Field(ge=1, le=99, examples=[2])]


class OutcomeRequest(_Request):
    """What was bought."""

    lines: Annotated[list[SoldLine], Field(min_length=1, max_length=50)]


class Offer(_Answer):
    """One flavour of the slate."""

    flavour: FlavourId
    name: str
    probability: float | None = Field(description="of being bought, calibrated; null for best-sellers")


class ModelUsed(_Answer):
    """What recommended."""

    release: int | None
    version: str | None
    digest: str | None = Field(description="SHA-256 of the network, hex")


class PictureUsed(_Answer):
    """What was looked at."""

    sha256: Sha256Hex
    version: str | None = Field(
        description="of the sealed picture that is kept under your consent; null: it was deleted"
    )


class OutcomeKept(_Answer):
    """What was bought, as recorded."""

    lines: list[SoldLine]
    recorded_at: Instant


class RecommendationAnswer(_Answer):
    """Three flavours."""

    request_id: str = Field(description="UUID version 7, of the upload")
    state: Literal["done"]
    created_at: Instant
    expires_at: Instant = Field(description="when it is forgotten")
    source: Literal["model", "bestsellers"] = Field(description="say to the customer what it is")
    slate: list[Offer] = Field(description="best first; at most three")
    nobody: float | None = Field(description="how likely the picture shows nobody")
    model: ModelUsed | None
    inference_ms: float | None
    latency_ms: float = Field(description="from the picture's arrival to the recommendation")
    picture: PictureUsed
    outcome: OutcomeKept | None


class PendingAnswer(_Answer):
    """An upload that is on its way."""

    request_id: str
    state: Literal["issued", "arrived"]
    issued_at: Instant
    expires_at: Instant = Field(description="end of the signed URL")
    arrived_at: Instant | None


class RecommendationPage(_Answer):
    """Some of your own, newest first."""

    recommendations: list[RecommendationAnswer]
    next: str | None = Field(description="`cursor` of the next page; null: this is the last")


class MenuFlavour(_Answer):
    """One flavour of the chain."""

    flavour: FlavourId
    name: str = Field(description="in the language that was chosen")
    names: dict[str, str] = Field(description="by language")
    colour: str = Field(examples=["#93c572"])


class MenuAnswer(_Answer):
    """The chain's flavours."""

    release: int
    model: str = Field(description="version of the model that recommends")
    language: str = Field(description="of `name`")
    flavours: list[MenuFlavour]


class NoticeAnswer(_Answer):
    """What a person reads before they agree."""

    language: str
    sha256: Sha256Hex = Field(description="of the text's UTF-8; an upload's `consent` names it")
    text: str
    purposes: list[str]
    languages: list[str] = Field(description="those that there are")
