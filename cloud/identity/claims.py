"""What ID tokens and access tokens have in common: issuer, audience, times, subject. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from cloud.identity.errors import TokenRefused

CLOCK_SKEW_S: Final = 60
SUBJECT_MAX: Final = 255
_TIME_MAX: Final = 1 << 40


def check_common(claims: Mapping[str, Any], issuer: str, audience: str, now_s: float) -> str:
    """The subject of claims that were signed by `issuer`, for `audience`, and hold now.

    Raises:
        TokenRefused: One of them does not fit.
    """
    # Check 22 (OpenID Connect Core 1.0, 3.1.3.7 step 2; RFC 9068, 4): iss is the issuer, exactly.
    if claims.get("iss") != issuer:
        raise TokenRefused(22, "another issuer made it")
    # Check 23 (Core 3.1.3.7 step 3; RFC 7519, 4.1.3; RFC 9068, 4): it was made for us.
    named = claims.get("aud")
    audiences = [named] if isinstance(named, str) else named
    if not isinstance(audiences, list) or audience not in audiences:
        raise TokenRefused(23, "it was made for another audience")
    if not all(isinstance(one, str) for one in audiences):
        raise TokenRefused(23, "its audience is none")
    # Check 24 (Core 3.1.3.7 step 9; RFC 9068, 4): it ends, and has not ended.
    if _time(claims, "exp", 24) <= now_s - CLOCK_SKEW_S:
        raise TokenRefused(24, "its time is over")
    # Check 25 (Core 3.1.3.7 step 10; RFC 7519, 4.1.6): it says when it was made, and that was not later.
    if _time(claims, "iat", 25) > now_s + CLOCK_SKEW_S:
        raise TokenRefused(25, "it was made in the future")
    # Check 26 (RFC 7519, 4.1.5): where it begins to hold, it has begun.
    if "nbf" in claims and _time(claims, "nbf", 26) > now_s + CLOCK_SKEW_S:
        raise TokenRefused(26, "its time has not begun")
    # Check 27 (Core 2; RFC 7519, 4.1.2): it names somebody, in at most 255 ASCII characters.
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject.isascii() or not 0 < len(subject) <= SUBJECT_MAX:
        raise TokenRefused(27, "it names nobody")
    return subject


def _time(claims: Mapping[str, Any], name: str, check: int) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _TIME_MAX:
        raise TokenRefused(check, f"its {name} is missing or no time")
    return value
