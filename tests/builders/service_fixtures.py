"""Fixtures of the real services; each starts with the first test that asks for it.

Every test run imports this file, so the builders, and with them boto3 and
psycopg, are imported where they are used.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders.ceph_s3 import CephS3
    from tests.builders.mosquitto import Mosquitto
    from tests.builders.postgres import PostgresCluster, PostgresDatabase


@dataclass(frozen=True)
class S3Bucket:
    """A bucket of one test, with versions; `client` is boto3's."""

    server: CephS3
    name: str
    client: Any


@pytest.fixture(scope="session")
def real_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CephS3]:
    """One S3 server for the session; who kills a part of it starts it again."""
    from tests.builders.ceph_s3 import CephS3

    with CephS3(tmp_path_factory.mktemp("ceph")) as server:
        yield server


@pytest.fixture
def s3_bucket(real_s3: CephS3) -> S3Bucket:
    """A fresh bucket that keeps versions."""
    client = real_s3.client()
    name = f"test-{uuid.uuid4()}"
    client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return S3Bucket(real_s3, name, client)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    """One PostgreSQL for the session; who kills it starts it again."""
    from tests.builders.postgres import PostgresCluster, require_postgres

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
    from tests.builders.mosquitto import Mosquitto

    with Mosquitto(tmp_path / "mosquitto") as broker:
        yield broker
