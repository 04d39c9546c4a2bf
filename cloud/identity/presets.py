"""Identity providers whose addresses are known by heart. Pure."""

from dataclasses import dataclass
from typing import Final

from cloud.identity.errors import UnknownPreset


@dataclass(frozen=True, slots=True)
class Preset:
    """One of them; `register_at` says where a chain gets its client id and secret."""

    issuer: str
    label: str
    register_at: str
    token_endpoint: str | None = None


PRESETS: Final = {
    "google": Preset("https://accounts.google.com", "Google", "console.cloud.google.com, APIs and services"),
    # Facebook speaks OpenID Connect, but its description names no token endpoint.
    "facebook": Preset(
        "https://www.facebook.com",
        "Facebook",
        "developers.facebook.com, product Facebook Login",
        token_endpoint="https://graph.facebook.com/oauth/access_token",  # noqa: S106 - an address
    ),
}
DEVELOPMENT: Final = "development"
"""The provider of `topscoop cloud identity run --development`, at `console.oidc_issuer`."""


def preset(name: str) -> Preset:
    """By its name. Raises UnknownPreset."""
    try:
        return PRESETS[name]
    except KeyError as error:
        raise UnknownPreset(
            f"no provider is known as {name!r:.80}",
            remedy=f"Known are {', '.join(PRESETS)} and {DEVELOPMENT}; others: --issuer and --label.",
        ) from error
