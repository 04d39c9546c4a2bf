"""Answers of the token endpoint and of the device grant, as the description of the API shows them."""

from typing import Any, Final, Literal

from pydantic import BaseModel, Field


class TokenAnswer(BaseModel):
    """A token (RFC 6749, 5.1)."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the kind of token
    expires_in: int = Field(description="Seconds")


class DeviceAnswer(BaseModel):
    """What a device shows, and asks with (RFC 8628, 3.2)."""

    device_code: str
    user_code: str = Field(examples=["BCDF-GHJK"])
    verification_uri: str
    verification_uri_complete: str
    expires_in: int = Field(description="Seconds")
    interval: int = Field(description="Seconds between two questions")


class OAuthError(BaseModel):
    """A refusal (RFC 6749, 5.2; RFC 8628, 3.5)."""

    error: Literal[
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unsupported_grant_type",
        "authorization_pending",
        "slow_down",
        "access_denied",
        "expired_token",
    ]
    error_description: str


REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": OAuthError, "description": "Refused, or not yet approved; `error` says which"},
    401: {"model": OAuthError, "description": "`invalid_client`: the credentials are not accepted"},
}
"""`responses=` of the two."""
