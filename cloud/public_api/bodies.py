"""Bodies about recommendations: requests are checked against them, answers are described by them."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

FlavourId = Annotated[
    str, Field(min_length=1, max_length=32, description="id from the menu", examples=["pistachio"])
]
Instant = Annotated[str, Field(description="RFC 3339, UTC", examples=["2026-11-22T14:03:07.250Z"])]
Sha256Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

_ID: Final = "01939f52-0000-7000-8000-0000000000a1"
_EXAMPLE: Final[dict[str, Any]] = {
    "request_id": _ID,
    "state": "done",
    "created_at": "2026-11-22T14:03:07.250Z",
    "expires_at": "2026-12-22T14:03:07.250Z",
    "source": "model",
    "slate": [
        {"flavour": "pistachio", "name": "Pistachio", "probability": 0.41},
        {"flavour": "lemon", "name": "Lemon", "probability": 0.22},
        {"flavour": "hazelnut", "name": "Hazelnut", "probability": 0.17},
    ],
    "nobody": 0.01,
    "model": {"release": 3, "version": "2026.11.1", "digest": "ab" * 32},
    "inference_ms": 0.4,
    "latency_ms": 31.5,
    "picture": {"sha256": "cd" * 32, "version": None},
    "outcome": None,
}


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

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"lines": [{"flavour": "pistachio", "quantity": 2}]}]}
    )

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

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

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

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "request_id": _ID,
                    "state": "arrived",
                    "issued_at": "2026-11-22T14:03:05.900Z",
                    "expires_at": "2026-11-22T14:04:05.900Z",
                    "arrived_at": "2026-11-22T14:03:07.190Z",
                }
            ]
        }
    )

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
