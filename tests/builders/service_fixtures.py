"""Fixtures of the real services; each starts with the first test that asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders.mosquitto import Mosquitto
from tests.builders.postgres import PostgresCluster, PostgresDatabase, require_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    """One PostgreSQL for the session; who kills it starts it again."""
    require_postgres()
    with PostgresCluster() as cluster:
        yield cluster


@pytest.fixture
def postgres_database(postgres_cluster: PostgresCluster) -> Iterator[PostgresDatabase]:
    """A fresh database and its owner, dropped after the test with every role that the test made."""
    with postgres_cluster.fresh_database() as database:
        yield database


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker of the test's own that lets everybody in, on loopback."""
    with Mosquitto(tmp_path / "mosquitto") as broker:
        yield broker
