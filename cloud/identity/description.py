"""What an identity provider says of itself (OpenID Connect Discovery 1.0; RFC 8414). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cloud.identity.addresses import usable
from cloud.identity.errors import LoginFailed


@dataclass(frozen=True, slots=True)
class Description:
    """The parts that are used.

    Attributes:
        names_itself: Whether its answers say whose they are (RFC 9207).
        authentication: How we show our secret at its token endpoint.
    """

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None
    names_itself: bool
    authentication: Literal["client_secret_basic", "client_secret_post"]


def read_description(
    document: Mapping[str, Any], issuer: str, token_endpoint: str | None = None
) -> Description:
    """The description of `issuer`.

    Args:
        document: What it served.
        issuer: As configured.
        token_endpoint: As configured, where the document names none.

    Raises:
        LoginFailed: It is not acceptable; the remedy says who mends it.
    """
    # Check 5 (Discovery 4.3; RFC 8414, 3.3): the issuer is exactly the one that was configured.
    if document.get("issuer") != issuer:
        raise LoginFailed(
            f"the identity provider calls itself {str(document.get('issuer'))[:200]!r}, not {issuer!r}",
            remedy="Configure the issuer as the provider calls itself, to the letter.",
        )
    # Check 6 (RFC 9700, 2.1.1; RFC 7636, 4.2): PKCE with S256. A provider that says nothing is asked with it.
    if "S256" not in _names(document, "code_challenge_methods_supported", "S256"):
        raise LoginFailed(
            "the identity provider does not know PKCE with S256",
            remedy="Use a provider that does, or switch it on there.",
        )
    end = document.get("end_session_endpoint")
    methods = _names(document, "token_endpoint_auth_methods_supported", "client_secret_basic")
    basic = token_endpoint is None and "client_secret_basic" in methods
    return Description(
        authorization_endpoint=_endpoint(document, "authorization_endpoint", issuer),
        token_endpoint=_endpoint(
            {"token_endpoint": token_endpoint} | dict(document), "token_endpoint", issuer
        ),
        jwks_uri=_endpoint(document, "jwks_uri", issuer),
        end_session_endpoint=None if end is None else _endpoint(document, "end_session_endpoint", issuer),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        # An endpoint that a description does not name is older than OpenID Connect: it wants a form field.
        authentication="client_secret_basic" if basic else "client_secret_post",
    )


def _names(document: Mapping[str, Any], name: str, unsaid: str) -> list[Any]:
    """A list of the document; of what holds where it says nothing. What is no list names nothing."""
    value = document.get(name)
    return [unsaid] if value is None or value == [] else value if isinstance(value, list) else []


def _endpoint(document: Mapping[str, Any], name: str, issuer: str) -> str:
    value = document.get(name)
    if not usable(value, issuer):
        raise LoginFailed(
            f"the identity provider names no usable {name}",
            remedy="Look at its /.well-known/openid-configuration: https, and names instead of numbers.",
        )
    return str(value)
