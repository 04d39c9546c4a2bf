"""Whatever somebody sends as token, form, code or cookie is taken or refused, and never a defect."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.identity.addresses import usable
from cloud.identity.encoding import base64url
from cloud.identity.errors import TokenRefused
from cloud.identity.id_token import verify_id_token
from cloud.identity.local_path import local_path
from cloud.identity.public_keys import PublicKeys
from cloud.identity.signed_token import SignedToken
from cloud.identity.values import LoginAttempt
from cloud.public_api.oauth_forms import OAuthRefusal, credentials, read_form
from cloud.public_api.user_codes import CODES, shown, typed, user_code

_NO_KEYS = PublicKeys(())
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_HEADER = st.dictionaries(
    st.sampled_from(["alg", "typ", "kid", "jku", "crit", "cty"]),
    st.sampled_from(["ES256", "none", "at+jwt", "JWT", "one"]) | _JSON,
)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
def test_any_text_is_a_refused_token(text: str) -> None:
    """T22: nothing that is no token ends in anything but a refusal."""
    with pytest.raises(TokenRefused):
        SignedToken.parse(text).verify(_NO_KEYS)


@given(_HEADER, _JSON, st.binary(max_size=70))
def test_any_header_and_claims_without_a_key_are_refused(
    header: object, claims: object, signature: bytes
) -> None:
    """T22: no header and no claim lets in what no key of the issuer's signed."""
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    token = ".".join(base64url(one) for one in parts)
    with pytest.raises(TokenRefused):
        verify_id_token(token, _NO_KEYS, issuer="i", client_id="c", nonce="n", now_s=0)


@given(st.dictionaries(st.text(max_size=8), _JSON) | st.just({"keys": [{"kty": "EC", "crv": "P-256"}]}))
def test_any_key_set_is_read_or_refused(document: dict[str, object]) -> None:
    try:
        PublicKeys.read(document)
    except ValueError:
        pass
    else:
        assert isinstance(document["keys"], list)


@given(
    st.lists(st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid"]), _JSON), max_size=3)
)
def test_no_nonsense_becomes_a_key(keys: list[dict[str, object]]) -> None:
    assert len(PublicKeys.read({"keys": keys})) == 0


@given(st.text(max_size=60), st.binary(max_size=100))
def test_any_body_is_a_form_or_refused(content_type: str, body: bytes) -> None:
    for kind in (content_type, "application/x-www-form-urlencoded"):
        try:
            form = read_form(kind, body)
        except OAuthRefusal:
            continue
        assert kind.lower().startswith("application/x-www-form-urlencoded")
        assert all(isinstance(one, str) for one in form.values())


@given(
    st.none() | st.text(max_size=60),
    st.dictionaries(st.sampled_from(["client_id", "client_secret"]), st.text()),
)
def test_any_credentials_are_two_texts_or_refused(authorization: str | None, form: dict[str, str]) -> None:
    try:
        client, secret = credentials(authorization, form)
    except OAuthRefusal:
        return
    assert isinstance(client, str)
    assert isinstance(secret, str)


@given(st.integers(min_value=0, max_value=CODES - 1))
def test_a_code_is_read_as_it_is_shown(number: int) -> None:
    code = user_code(number)
    assert typed(shown(code)) == typed(f" {shown(code).lower()} ") == code


@given(st.text(max_size=30))
def test_any_typed_text_is_a_code_or_none(text: str) -> None:
    found = typed(text)
    assert found is None or typed(found) == found


@given(st.text(max_size=100))
def test_any_cookie_is_a_login_or_none(text: str) -> None:
    found = LoginAttempt.parse(text)
    assert found is None or LoginAttempt.parse(found.text()) == found


@given(st.text(max_size=60) | st.text("/\\.:@?#%a", max_size=12))
def test_any_goal_is_a_path_of_this_host(text: str) -> None:
    goal = local_path(text, "/try")
    assert goal.startswith("/")
    assert not goal.startswith(("//", "/\\", "/login"))


@given(st.text(max_size=60) | st.text("htps:/.@[]%0127x", max_size=24))
def test_any_address_is_usable_or_not(text: str) -> None:
    """T23: and one that is, is https."""
    if usable(text, "https://login.example"):
        assert text.lower().startswith("https://")
