"""What must be so before the console serves. Pure."""

from cloud.config import CloudConfig
from cloud.errors import StandInRefused
from daemon.errors import ConfigError


def check_console(config: CloudConfig) -> tuple[str, ...]:
    """The stand-ins that this console uses, in words; each is allowed in development alone.

    Raises:
        ConfigError: No identity provider is named.
        StandInRefused: There is a stand-in, and the environment is not `development`.
    """
    console = config.console
    if console.oidc_issuer is None:
        raise ConfigError(
            "console.oidc_issuer is not set: nobody could log in",
            remedy="Name your identity provider; in development `topscoop cloud identity run --development`"
            " is one.",
        )
    used = {
        "the console comes over http: whoever is on the way reads its cookies": (
            not console.public_url.startswith("https://")
        ),
        "the identity provider comes over http: whoever is on the way logs in as anybody": (
            not console.oidc_issuer.startswith("https://")
        ),
    }
    found = tuple(words for words, is_used in used.items() if is_used)
    if found and not config.development:
        raise StandInRefused(
            f"not in production: {'; '.join(found)}",
            remedy="Give console.public_url and console.oidc_issuer as https addresses.",
        )
    return found
