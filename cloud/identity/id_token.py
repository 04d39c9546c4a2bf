"""ID tokens: what the identity provider says of who has just logged in there. Pure."""

import hmac
from typing import Final

from cloud.identity.claims import check_common
from cloud.identity.errors import TokenRefused
from cloud.identity.public_keys import PublicKeys
from cloud.identity.signed_token import SignedToken
from cloud.identity.values import Identity, KeySource

_TYPES: Final = frozenset({"", "jwt"})


def verify_id_token(
    text: str, keys: KeySource | PublicKeys, *, issuer: str, client_id: str, nonce: str, now_s: float
) -> Identity:
    """Who it is (OpenID Connect Core 1.0, 3.1.3.7).

    Args:
        text: As the token endpoint gave it.
        keys: Of the issuer.
        issuer: As configured.
        client_id: Ours there.
        nonce: Of this browser's login.
        now_s: Seconds since 1970.

    Raises:
        TokenRefused: It is not accepted.
        ProviderAway: Its keys cannot be asked for.
    """
    token = SignedToken.parse(text)
    # Check 28 (RFC 8725, 3.11): an access token, or any other kind, is no ID token.
    if token.typ not in _TYPES:
        raise TokenRefused(28, "it is not an ID token")
    claims = token.claims(keys)
    subject = check_common(claims, issuer, client_id, now_s)
    # Check 29 (Core 3.1.3.7 step 11): the nonce that this login began with: no replay, no injected code.
    if not same(str(claims.get("nonce", "")), nonce):
        raise TokenRefused(29, "it belongs to another login")
    # Check 30 (Core 3.1.3.7 steps 4 and 5): with several audiences, or azp, it was made for us alone.
    party = claims.get("azp")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if party != client_id and (party is not None or several):
        raise TokenRefused(30, "it was made for another client")
    name = claims.get("name") or claims.get("preferred_username") or claims.get("email") or subject
    return Identity(issuer, subject, str(name)[:200])


def same(one: str, other: str) -> bool:
    """In a time that tells nothing; of any text, where `hmac.compare_digest` takes ASCII alone."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))
