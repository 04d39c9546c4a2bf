"""The providers of each chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloud.config import CloudConfig, ConsoleConfig
from cloud.identity.adapters.issuers import put_issuer
from cloud.identity.errors import IssuerRefused, TokenRefused
from cloud.identity.issuers import Issuers
from cloud.identity.values import Identity, Issuer
from tests.builders.cloud_database import NOW_MS, add_tenants, sqlite_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud.database.engine import Database

DEVELOPMENT = "http://localhost:8731"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with sqlite_database(tmp_path) as made:
        add_tenants(made, "sole", "nord")
        yield made


def _issuers(database: Database, tmp_path: Path, environment: Any = "development") -> Issuers:
    config = CloudConfig(
        environment=environment, state_dir=tmp_path, console=ConsoleConfig(oidc_issuer=DEVELOPMENT)
    )
    return Issuers(config, database, lambda: NOW_MS, lambda: 0.0)


def _put(database: Database, tenant: str, *urls: str) -> None:
    with database.tenant(tenant) as connection:
        for url in urls:
            put_issuer(connection, tenant, Issuer(url, "c", None, url), NOW_MS, actor="test")


def test_in_development_a_chain_without_providers_has_the_development_one(
    database: Database, tmp_path: Path
) -> None:
    """And only there: nobody comes in without a password anywhere else."""
    (found,) = _issuers(database, tmp_path).of("sole")
    assert (found.issuer, found.stored, found.audience) == (DEVELOPMENT, False, None)
    assert _issuers(database, tmp_path, "production").of("sole") == []
    _put(database, "sole", "https://login.example")
    assert [one.issuer for one in _issuers(database, tmp_path).of("sole")] == ["https://login.example"]


def test_outside_of_development_no_provider_comes_by_http(database: Database, tmp_path: Path) -> None:
    _put(database, "sole", "http://login.example")
    assert _issuers(database, tmp_path).of("sole")
    with pytest.raises(IssuerRefused, match="http"):
        _issuers(database, tmp_path, "production").of("sole")


def test_a_chain_knows_its_own_providers_alone(database: Database, tmp_path: Path) -> None:
    _put(database, "sole", "https://a.example", "https://b.example")
    issuers = _issuers(database, tmp_path, "production")
    one, two = issuers.of("sole")
    assert one.key != two.key
    assert issuers.of("nord") == []
    assert issuers.flow("sole", one.key, "https://x/y", "/") is not None
    assert issuers.flow("nord", one.key, "https://x/y", "/") is None
    assert issuers.flow("sole", "nothing", "https://x/y", "/") is None


def test_the_development_provider_gives_no_access_tokens(database: Database, tmp_path: Path) -> None:
    with pytest.raises(TokenRefused):
        _issuers(database, tmp_path).bearer("sole", "a.b.c")


def test_a_person_is_another_user_in_each_chain(database: Database, tmp_path: Path) -> None:
    anna = Identity("https://a.example", "anna")
    issuers = _issuers(database, tmp_path)
    assert issuers.user("sole", anna) == issuers.user("sole", anna) != issuers.user("nord", anna)
    assert "anna" not in repr(Issuer("https://a.example", "c", "anna's secret"))
