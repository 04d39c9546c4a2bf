"""What a provider says of itself."""

from typing import Any

import pytest

from cloud.identity.description import read_description
from cloud.identity.errors import LoginFailed
from cloud.identity.presets import PRESETS

ISSUER = "https://login.example"
GOOD: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": "https://login.example/authorize",
    "token_endpoint": "https://login.example/token",
    "jwks_uri": "https://keys.example/jwks",
}


def test_a_plain_description_is_read() -> None:
    found = read_description(GOOD, ISSUER)
    assert found.jwks_uri == "https://keys.example/jwks"
    assert (found.names_itself, found.authentication) == (False, "client_secret_basic")
    assert found.end_session_endpoint is None


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": ISSUER + "/"},
        {"issuer": None},
        {"code_challenge_methods_supported": ["plain"]},
        {"token_endpoint": "http://login.example/token"},
        {"jwks_uri": "https://169.254.169.254/"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"end_session_endpoint": "http://login.example/end"},
    ],
    ids="-".join,
)
def test_one_that_is_wrong_in_one_respect_is_refused(change: dict[str, Any]) -> None:
    """T23: over https a provider leads to https alone, and never to the machine's own neighbourhood."""
    with pytest.raises(LoginFailed):
        read_description(GOOD | change, ISSUER)


@pytest.mark.parametrize("value", [5, True, 1.5, "S256", {"S256": 1}, [[]], "x"], ids=repr)
@pytest.mark.parametrize(
    "name", ["code_challenge_methods_supported", "token_endpoint_auth_methods_supported"]
)
def test_a_list_that_is_none_breaks_nothing(name: str, value: Any) -> None:
    """T22: a hostile description is refused, or read without it; it is no failure of ours."""
    try:
        found = read_description(GOOD | {name: value}, ISSUER)
    except LoginFailed:
        assert name == "code_challenge_methods_supported"
    else:
        assert found.authentication == "client_secret_post"


def test_facebook_names_no_token_endpoint() -> None:
    """Its preset does, and shows the secret in the form, as that endpoint wants it."""
    facebook = PRESETS["facebook"]
    document = {
        "issuer": facebook.issuer,
        "authorization_endpoint": "https://facebook.com/dialog/oauth/",
        "jwks_uri": "https://www.facebook.com/.well-known/oauth/openid/jwks/",
    }
    with pytest.raises(LoginFailed, match="token_endpoint"):
        read_description(document, facebook.issuer)
    found = read_description(document, facebook.issuer, facebook.token_endpoint)
    assert found.token_endpoint == facebook.token_endpoint
    assert found.authentication == "client_secret_post"


def test_a_provider_that_takes_no_basic_gets_a_form() -> None:
    found = read_description(GOOD | {"token_endpoint_auth_methods_supported": ["client_secret_post"]}, ISSUER)
    assert found.authentication == "client_secret_post"
