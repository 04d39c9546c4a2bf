"""Which addresses may be asked for an issuer's sake: its own, and those that its description names. Pure."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from cloud.identity.errors import IssuerRefused

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_METADATA: Final = ipaddress.ip_address("fd00:ec2::254")
"""Where Amazon's machines answer with their credentials, beside 169.254.169.254 (link-local)."""


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port; raises ValueError for what is no plain http or https address."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme not in _DEFAULT_PORTS or not host or parts.username is not None or parts.fragment:
        raise ValueError("not an address of http or https")
    if not url.isascii() or any(one <= " " or one in '\\"<>' for one in url):
        raise ValueError("an address holds what belongs in none")
    return parts.scheme, host, parts.port or _DEFAULT_PORTS[parts.scheme]


def usable(url: object, issuer: str) -> bool:
    """Whether an address of an issuer's description may be used.

    Check 1 (RFC 8414, 2; OpenID Connect Discovery 1.0, 3): https. Where the issuer itself comes by http,
    in development, the rest may.
    Check 4: no address in digits but the issuer's own; nothing on this machine but for an issuer that is.
    """
    if not isinstance(url, str) or len(url) > 2000:
        return False
    try:
        scheme, host, _ = origin_of(url)
        own_scheme, own_host, _ = origin_of(issuer)
    except ValueError:
        return False
    if scheme != "https" and own_scheme == "https":
        return False
    return host == own_host or not (_is_address(host) or _is_this_machine(host))


def may_connect(address: str, *, own_host: bool) -> bool:
    """Whether a host's resolved address may be connected to (check 4).

    Never the metadata services of clouds, whatever name leads there; this machine only where the issuer
    itself is here.
    """
    one = ipaddress.ip_address(address.partition("%")[0])
    one = getattr(one, "ipv4_mapped", None) or one
    if one.is_link_local or one.is_multicast or one.is_unspecified or one == _METADATA:
        return False
    return own_host or not one.is_loopback


def check_issuer(issuer: str, *, development: bool) -> str:
    """An issuer that may be configured, as it stands.

    Raises:
        IssuerRefused: It is no address, has a query, or comes by http outside of development.
    """
    try:
        scheme, _, _ = origin_of(issuer)
    except ValueError:
        scheme = ""
    if not scheme or "?" in issuer or len(issuer) > 300:
        raise IssuerRefused(
            f"{issuer[:100]!r} cannot be an issuer: it is no plain address of at most 300 characters",
            remedy="Copy it from the provider's /.well-known/openid-configuration, to the letter.",
        )
    if scheme != "https" and not development:
        raise IssuerRefused(
            f"{issuer!r} comes by http: whoever is on the way logs in as anybody",
            remedy='Use its https address; http is for `environment = "development"`.',
        )
    return issuer


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # 2130706433 and 0x7f.1 are addresses to a resolver as well.
        last = host.rstrip(".").rpartition(".")[2]
        return last.isdigit() or last.startswith("0x")
    return True


def _is_this_machine(host: str) -> bool:
    name = host.rstrip(".")
    return name == "localhost" or name.endswith(".localhost")
