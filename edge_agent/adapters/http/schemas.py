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
