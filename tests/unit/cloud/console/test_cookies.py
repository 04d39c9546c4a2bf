"""What the console's cookies are called and hold."""

import hashlib

import pytest

from cloud.console.cookies import CookieNames, new_cookie, parse_cookie


def test_over_https_no_neighbour_can_plant_a_cookie() -> None:
    """T24: the `__Host-` prefix binds cookies to this host; without https they have another name."""
    secure, plain = CookieNames(secure=True), CookieNames(secure=False)
    assert {one[:7] for one in (secure.session, secure.login, secure.theme)} == {"__Host-"}
    assert not plain.session.startswith("__Host-")
    assert len({plain.session, plain.login, plain.theme}) == 3


def test_a_cookie_is_read_as_it_was_written() -> None:
    cookie = new_cookie("gelateria-sole", bytes(range(32)))
    assert parse_cookie(cookie.text()) == cookie
    assert cookie.session == hashlib.sha256(cookie.secret.encode()).digest()
    assert cookie.secret.encode() not in cookie.session


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "sole",
        "sole.",
        "sole.short",
        "SOLE." + "a" * 43,
        "sole." + "a" * 44,
        "sole." + "ä" * 43,
        "." + "a" * 43,
    ],
)
def test_what_cannot_be_ours_is_no_cookie(text: str) -> None:
    assert parse_cookie(text) is None


def test_a_guessable_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        new_cookie("sole", b"short")
