"""Where a chain's API is: from what a person types to an origin. Pure."""

import re
from typing import Final
from urllib.parse import urlsplit

from wire_protocol.errors import OperatorError

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\Z|\[[0-9a-f:.]+\]\Z")
_PLACE: Final = "{tenant}"


def origin_of(chain: str, base_url: str | None = None) -> str:
    """The origin of a chain's API, such as `https://gelateria-sole.example`.

    Args:
        chain: Its address, or its name where `base_url` is given.
        base_url: The addresses of all chains: `https://{tenant}.example`.

    Raises:
        OperatorError: It is no address, or one over which a token must not travel.
    """
    if "://" in chain:
        return _origin(chain)
    if not _NAME.match(chain):
        raise OperatorError(
            f"{chain!r} is neither a chain's address nor its name",
            remedy="Give it as in https://gelateria-sole.example.",
        )
    if base_url is None:
        raise OperatorError(
            f"where is the API of {chain}?",
            remedy="Give its whole address, or --base-url with {tenant} in place of the name.",
        )
    if _PLACE not in base_url:
        raise OperatorError(
            f"the base URL {base_url} has no {_PLACE}", remedy=f"Write it as in https://{_PLACE}.example."
        )
    return _origin(base_url.replace(_PLACE, chain))


def is_loopback(host: str) -> bool:
    """Whether this name or address is this machine, whatever a name server says (RFC 6761, 6.3)."""
    return host in {"127.0.0.1", "::1", "localhost"} or host.endswith(".localhost")


def _origin(address: str) -> str:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise OperatorError(f"{address} is no address: {error}", remedy="Correct it.") from error
    host = (parts.hostname or "").rstrip(".")
    spelled = f"[{host}]" if ":" in host else host
    more = parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/")
    if more or not _HOST.match(spelled):
        raise OperatorError(
            "a chain's address has a scheme, a host and perhaps a port, and nothing else",
            remedy="Give it as in https://gelateria-sole.example.",
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise OperatorError(f"{address} is not https", remedy="Pictures and tokens travel over https alone.")
    default = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{spelled}" + ("" if port in {None, default} else f":{port}")
