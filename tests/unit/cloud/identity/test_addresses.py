"""T23: which addresses are asked for an issuer's sake."""

import pytest

from cloud.identity.addresses import check_issuer, may_connect, origin_of, usable
from cloud.identity.errors import IssuerRefused

ISSUER = "https://login.example"


@pytest.mark.parametrize(
    "url",
    [
        "https://login.example/token",
        "https://keys.example:8443/jwks",
        "https://LOGIN.example/x?tenant=1",
    ],
)
def test_names_of_the_provider_are_usable(url: str) -> None:
    assert usable(url, ISSUER)


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example/token",
        "file:///etc/passwd",
        "gopher://login.example/",
        "https://",
        "https://user@login.example/",
        "https://login.example/#x",
        "https://login.example/\r\nX: y",
        "https://login.example\\@evil.example/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00:ec2::254]/",
        "https://[::1]/",
        "https://127.0.0.1:9000/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://127.1/",
        "https://localhost/",
        "https://x.localhost./",
        "https://login.exämple/",
        "//login.example/",
        "",
        None,
        7,
        ["https://login.example/"],
        "https://login.example/" + "a" * 2000,
    ],
)
def test_what_leads_elsewhere_is_not(url: object) -> None:
    """T23: no other scheme, no address in digits, nothing on this machine, nothing that reads in two ways."""
    assert not usable(url, ISSUER)


def test_an_issuer_on_this_machine_may_be_asked_here() -> None:
    """Development: the issuer itself is on loopback, by http."""
    assert usable("http://127.0.0.1:9000/token", "http://127.0.0.1:9000")
    assert usable("http://localhost:8731/token", "http://localhost:8731")
    assert not usable("http://localhost:8731/token", "http://login.example")
    assert not usable("http://169.254.169.254/", "http://localhost:8731")


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "fe80::1",
        "fe80::1%eth0",
        "::ffff:169.254.169.254",
        "fd00:ec2::254",
        "0.0.0.0",
        "::",
        "224.0.0.1",
    ],
)
def test_no_name_leads_to_a_machines_credentials(address: str) -> None:
    """T23: whatever a name resolves to, metadata services are not asked, not even for the issuer itself."""
    assert not may_connect(address, own_host=True)
    assert not may_connect(address, own_host=False)


def test_this_machine_is_asked_for_an_issuer_that_is_here() -> None:
    assert may_connect("127.0.0.1", own_host=True)
    assert not may_connect("127.0.0.1", own_host=False)
    assert not may_connect("::ffff:127.0.0.1", own_host=False)
    assert may_connect("10.1.2.3", own_host=False), "a provider may live in the company's network"


@pytest.mark.parametrize(
    "issuer",
    [
        "login.example",
        "https://login.example?x=1",
        "https://a b",
        "ftp://x",
        "https://" + "a" * 300,
        "https://x#y",
    ],
)
def test_what_is_no_issuer_is_refused(issuer: str) -> None:
    with pytest.raises(IssuerRefused):
        check_issuer(issuer, development=True)


def test_http_is_for_development() -> None:
    assert check_issuer("http://localhost:8731", development=True) == "http://localhost:8731"
    with pytest.raises(IssuerRefused, match="http"):
        check_issuer("http://localhost:8731", development=False)


def test_an_origin_has_its_port() -> None:
    assert origin_of("https://Login.Example/a") == ("https", "login.example", 443)
    assert origin_of("http://x:8080") == ("http", "x", 8080)
