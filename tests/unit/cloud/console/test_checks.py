"""What the console refuses to start with."""

import dataclasses

import pytest

from cloud.config import CloudConfig, ConsoleConfig
from cloud.console.checks import check_console
from cloud.errors import StandInRefused
from daemon.errors import ConfigError

_REAL = ConsoleConfig(public_url="https://console.example", oidc_issuer="https://login.example")


def test_the_real_thing_uses_no_stand_in() -> None:
    assert check_console(CloudConfig(console=_REAL)) == ()


def test_without_an_identity_provider_it_does_not_start() -> None:
    with pytest.raises(ConfigError, match="oidc_issuer"):
        check_console(CloudConfig(console=dataclasses.replace(_REAL, oidc_issuer=None)))


@pytest.mark.parametrize("name", ["public_url", "oidc_issuer"])
def test_plain_http_is_for_development_alone_and_said_aloud(name: str) -> None:
    """T24: no cookie or login over a way that others read."""
    console = dataclasses.replace(_REAL, **{name: "http://localhost:1"})
    with pytest.raises(StandInRefused, match="over http"):
        check_console(CloudConfig(console=console))
    assert len(check_console(CloudConfig(environment="development", console=console))) == 1
