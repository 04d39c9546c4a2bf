"""Access tokens of an identity provider's own, as JWT (RFC 9068). Pure."""

from typing import Final

from cloud.identity.claims import check_common
from cloud.identity.errors import TokenRefused
from cloud.identity.public_keys import PublicKeys
from cloud.identity.signed_token import SignedToken
from cloud.identity.values import Identity, KeySource

TYPE: Final = "at+jwt"


def parse_access_token(text: str) -> SignedToken:
    """A token that may be one; its keys are asked for only after this. Raises TokenRefused."""
    token = SignedToken.parse(text)
    # Check 31 (RFC 9068, 4; RFC 8725, 3.11): the header says what it is. An ID token is not an access token.
    if token.typ != TYPE:
        raise TokenRefused(31, "it is not an access token (typ at+jwt)")
    # Check 32 (RFC 9068, 2.1 with RFC 7515, 4.1.4): and which key signed it; none is guessed.
    if token.kid is None:
        raise TokenRefused(32, "it does not name its key (kid)")
    return token


def verify_access_token(
    token: SignedToken, keys: KeySource | PublicKeys, *, issuer: str, audience: str, now_s: float
) -> Identity:
    """Whose it is.

    Args:
        token: As `parse_access_token` gave it.
        keys: Of the issuer.
        issuer: As configured for the chain of the host.
        audience: What the issuer calls our API.
        now_s: Seconds since 1970.

    Raises:
        TokenRefused: It is not accepted.
        ProviderAway: Its keys cannot be asked for.
    """
    return Identity(issuer, check_common(token.claims(keys), issuer, audience, now_s))
