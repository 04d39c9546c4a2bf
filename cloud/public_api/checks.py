"""What must be so before the public API serves. Pure."""

from cloud.config import CloudConfig
from cloud.errors import StandInRefused


def check_public_api(config: CloudConfig) -> tuple[str, ...]:
    """The stand-ins that this API uses, in words; each is allowed in development alone.

    Raises:
        StandInRefused: There is a stand-in, and the environment is not `development`.
    """
    used = {
        "the public API comes over http: whoever is on the way reads its tokens": (
            not config.public_api.public_url.startswith("https://")
        ),
    }
    found = tuple(words for words, is_used in used.items() if is_used)
    if found and not config.development:
        raise StandInRefused(
            f"not in production: {'; '.join(found)}",
            remedy="Give public_api.public_url as an https address; a gateway in front speaks TLS.",
        )
    return found
