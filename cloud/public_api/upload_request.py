"""What a client asks for with `POST /v1/uploads`, within bounds; pure."""

import base64
import hashlib
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from cloud.intake.values import Purpose
from cloud.public_api.problems import problem

IDEMPOTENCY_KEY: Final = r"[\x21-\x7e]{1,255}"
"""Visible ASCII; a UUID does well."""
_TINY_BYTES: Final = 125
"""No JPEG is shorter."""


def _base64_of_16(text: str) -> str:
    if len(base64.b64decode(text, validate=True)) != hashlib.md5(usedforsecurity=False).digest_size:
        raise ValueError("must be 16 bytes in base64")
    return text


class Strict(BaseModel):
    """Takes what is described and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ConsentGiven(Strict):
    """What the person read, and that they agreed; see `GET /v1/notice`."""

    notice: str = Field(pattern=r"^[0-9a-f]{64}$", description="`sha256` of the notice that was shown")
    language: str = Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?$", description="its language")
    agreed: Literal[True] = Field(description="the person said yes")


class Circumstances(Strict):
    """What is known beside the picture; each may be missing, and helps the recommendation."""

    hour: float | None = Field(
        default=None, ge=0, lt=24, allow_inf_nan=False, description="local time of day"
    )
    weekday: int | None = Field(default=None, ge=0, le=6, description="Monday is 0")
    temperature_c: float | None = Field(
        default=None, ge=-90, le=90, allow_inf_nan=False, description="outside, in degrees Celsius"
    )
    shop: str | None = Field(default=None, min_length=1, max_length=64, description="kind of shop")


class UploadRequest(Strict):
    """One picture that will be uploaded."""

    content_type: Literal["image/jpeg"] = Field(default="image/jpeg", description="baseline JPEG")
    content_length: int = Field(ge=_TINY_BYTES, le=20_000_000, description="bytes of the picture")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the picture, 64 hex digits")
    content_md5: Annotated[str, AfterValidator(_base64_of_16)] | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9+/]{22}==$",
        description="of the picture, in base64, for stores that compare it",
    )
    purpose: Purpose = Field(
        default=Purpose.RECOMMEND,
        strict=False,
        description="`recommend`: deleted as soon as it was looked at; "
        "`recommend_and_improve`: kept, sealed, under the person's consent",
    )
    consent: ConsentGiven | None = Field(default=None, description="only with `recommend_and_improve`")
    context: Circumstances = Circumstances()

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "content_type": "image/jpeg",
                    "content_length": 84213,
                    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "purpose": "recommend",
                    "context": {"hour": 15.5, "temperature_c": 24},
                }
            ]
        }
    )

    @model_validator(mode="after")
    def _consent_fits(self) -> "UploadRequest":
        if self.consent is not None and self.purpose is Purpose.RECOMMEND:
            raise ValueError("a consent goes with the purpose recommend_and_improve alone")
        return self

    def check(self, picture_max_bytes: int) -> None:
        """What the description of a field cannot say.

        Raises:
            Problem: `too-large`, `consent-missing`.
        """
        if self.content_length > picture_max_bytes:
            raise problem("too-large", f"a picture has {picture_max_bytes} bytes at most here")
        if self.purpose is Purpose.RECOMMEND_AND_IMPROVE and self.consent is None:
            raise problem("consent-missing", "recommend_and_improve needs the person's consent")

    def fingerprint(self) -> bytes:
        """SHA-256 of what it asks for, however it was written down."""
        return hashlib.sha256(
            orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        ).digest()

    def known_context(self) -> dict[str, Any]:
        """The circumstances without what is missing."""
        return self.context.model_dump(exclude_none=True)


def idempotency_of(user: bytes, key: str) -> bytes:
    """What a key is kept as: of one person alone, and not to be read back."""
    return hashlib.sha256(user + key.encode()).digest()
