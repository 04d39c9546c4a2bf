"""Where a chain's API is."""

from __future__ import annotations

import pytest

from api_client.address import is_loopback, origin_of
from wire_protocol.errors import OperatorError


@pytest.mark.parametrize(
    ("chain", "base_url", "origin"),
    [
        ("https://Gelateria-Sole.example/", None, "https://gelateria-sole.example"),
        ("https://gelateria-sole.example:443", None, "https://gelateria-sole.example"),
        ("https://gelateria-sole.localhost:8440", None, "https://gelateria-sole.localhost:8440"),
        ("gelateria-sole", "https://{tenant}.example", "https://gelateria-sole.example"),
        ("http://gelateria-sole.localhost:8740", None, "http://gelateria-sole.localhost:8740"),
        ("http://127.0.0.1:80", None, "http://127.0.0.1"),
        ("https://[::1]:8440", None, "https://[::1]:8440"),
    ],
)
def test_an_address_or_a_name_is_an_origin(chain: str, base_url: str | None, origin: str) -> None:
    """Scheme, host and port, spelled in one way."""
    assert origin_of(chain, base_url) == origin


@pytest.mark.parametrize(
    ("chain", "base_url"),
    [
        ("gelateria-sole", None),
        ("gelateria-sole", "https://all.example"),
        ("Gelateria Sole", "https://{tenant}.example"),
        ("evil.example/", "https://{tenant}.example"),
        ("http://gelateria-sole.example", None),
        ("http://localhost.evil.example", None),
        ("ftp://gelateria-sole.example", None),
        ("https://", None),
        ("https://user:password@gelateria-sole.example", None),
        ("https://gelateria-sole.example/v1", None),
        ("https://gelateria-sole.example?x=1", None),
        ("https://gelateria-sole.example:99999", None),
        ("https://gelateria sole.example", None),
    ],
)
def test_nothing_else_is(chain: str, base_url: str | None) -> None:
    """A token travels over https alone, and to a host that was named."""
    with pytest.raises(OperatorError) as error:
        origin_of(chain, base_url)
    assert error.value.remedy


def test_only_this_machine_is_loopback() -> None:
    """RFC 6761, 6.3: whatever a name server says."""
    assert is_loopback("gelateria-sole.localhost")
    assert not is_loopback("localhost.example")
